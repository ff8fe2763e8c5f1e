"""Which database errors pass: retry what was rolled back for serialization, a deadlock, a lock time-out or a raced key.

None of these says anything about the customer's money, so none is reported as "insufficient funds".
"""

import functools
import random
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import structlog
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.utils.translation import gettext as _

from core.errors import Unavailable

TRIES = 5
# SQLSTATEs: serialization_failure, deadlock_detected, lock_not_available.
RETRYABLE = {"40001", "40P01", "55P03"}
# Two sessions posted the same cause at once. On its retry, the second one finds the first one's transaction.
RACED = "same_cause_posts_once"

# SQLSTATEs of a server that stops, has crashed, or takes no connection: of class 57P and 08.
GONE = ("57P", "08")
# The SQLSTATE of a server that takes no writes: since a failover it is a standby, and another one is the primary.
READ_ONLY = "25006"

log = structlog.get_logger(__name__)
P = ParamSpec("P")
R = TypeVar("R")


def retried(function: Callable[P, R]) -> Callable[P, R]:
    """Run a function that opens its own transaction up to five times, then raise core.errors.Unavailable.

    Inside an outer transaction it runs once: only the caller that opened that transaction can retry it as a whole.
    """

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        if connection.in_atomic_block:
            return function(*args, **kwargs)
        for turn in range(1, TRIES + 1):
            try:
                return function(*args, **kwargs)
            except DatabaseError as error:
                if not is_retryable(error):
                    raise
                log.warning("transaction_run_again", what=function.__qualname__, turn=turn, error=str(error).strip())
                if turn < TRIES:
                    # Jitter keeps two sessions that collided from colliding again.
                    time.sleep(random.uniform(0, 0.02 * 2**turn))  # noqa: S311
        raise Unavailable(_("The database is busy. Nothing was done. Try again."))

    return run


def is_retryable(error: DatabaseError) -> bool:
    """Return whether the same transaction may succeed when it is run again from the start."""
    state = getattr(error.__cause__, "sqlstate", None)
    raced = state == "23505" and constraint_of(error) == RACED
    return state in RETRYABLE or raced


def is_unreachable(error: BaseException) -> bool:
    """Return whether the database cannot be reached: the server stops, is gone, or takes no writes any more, or the
    connection is broken.
    """
    if isinstance(error, InterfaceError):
        return True
    state = getattr(error.__cause__, "sqlstate", None)
    if state == READ_ONLY:
        return True
    return isinstance(error, OperationalError) and (state is None or state.startswith(GONE))


def outage_behind(error: BaseException | None) -> BaseException | None:
    """Return the error among this one and what led to it that says the database cannot be reached; None without one."""
    while error is not None and not (isinstance(error, DatabaseError | InterfaceError) and is_unreachable(error)):
        error = error.__cause__ or error.__context__
    return error


def constraint_of(error: DatabaseError) -> str:
    """Return the name of the constraint that was violated, empty if it was none."""
    return str(getattr(getattr(error.__cause__, "diag", None), "constraint_name", None) or "")
