"""Run again what the database gave up: serialization failures, deadlocks, lock time-outs, a key raced.

None of them says anything about the customer's money, so none is ever reported as "insufficient funds".
"""

import functools
import random
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import structlog
from django.db import DatabaseError, connection
from django.utils.translation import gettext as _

from core.errors import Unavailable

TRIES = 5
# serialization_failure, deadlock_detected, lock_not_available
AGAIN = {"40001", "40P01", "55P03"}
# Two sessions posted one cause at once: the second finds the first one's transaction when it looks again.
RACED = "same_cause_posts_once"

log = structlog.get_logger(__name__)
P = ParamSpec("P")
R = TypeVar("R")


def retried(function: Callable[P, R]) -> Callable[P, R]:
    """Run `function`, which opens its own transaction, up to five times; then raise accounts.errors.Unavailable.

    Inside an outer transaction it runs once: only the whole can be run again, by whoever opened it.
    """

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        if connection.in_atomic_block:
            return function(*args, **kwargs)
        for turn in range(1, TRIES + 1):
            try:
                return function(*args, **kwargs)
            except DatabaseError as error:
                if not is_passing(error):
                    raise
                log.warning("transaction_run_again", what=function.__qualname__, turn=turn, error=str(error).strip())
                if turn < TRIES:
                    # Jitter, so that two who met do not meet again.
                    time.sleep(random.uniform(0, 0.02 * 2**turn))  # noqa: S311
        raise Unavailable(_("The database is busy. Nothing was done. Try again."))

    return run


def is_passing(error: DatabaseError) -> bool:
    """Tell whether the same statements may succeed when run again from the start."""
    cause = error.__cause__
    state = getattr(cause, "sqlstate", None)
    raced = state == "23505" and getattr(getattr(cause, "diag", None), "constraint_name", None) == RACED
    return state in AGAIN or raced
