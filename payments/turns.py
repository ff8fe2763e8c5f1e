"""Turns at a gateway: its sweeps run one at a time and not for long, so that a slow one never holds all workers."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from django.db import connection

from payments.gateways import guard

# The first key of the advisory locks, any constant.
TURNS = 20_261_201
# How long a sweep begins new calls in a task, in seconds. The next task goes on.
LASTS = 10.0
# Seconds after which the database takes a turn back whatever became of the worker. No task may run so long.
LONGEST = 900


@contextmanager
def take(name: str) -> Iterator[bool]:
    """Take the turn of this name for the block, and tell whether it was free. It is given back if the worker dies.

    It is a lock of a transaction, on a connection of its own that does nothing else: a lock of the session would be
    lost, or kept for ever, behind a pooler that hands sessions on after each transaction.
    """
    with closing(connection.copy()) as apart:
        apart.set_autocommit(False)
        with apart.cursor() as cursor:
            cursor.execute(f"SET LOCAL idle_in_transaction_session_timeout = '{LONGEST}s'")
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s, hashtext(%s))", [TURNS, name])
            [is_taken] = cursor.fetchone()
        yield is_taken
        apart.rollback()


def lasting(gateway: str | None, seconds: float = LASTS) -> Callable[[], bool]:
    """Return a function that says for so many seconds that a sweep may go on, while the gateway may be called."""
    end = time.monotonic() + seconds

    def goes_on() -> bool:
        return time.monotonic() < end and (gateway is None or not guard.is_paused(gateway))

    return goes_on
