"""Turns at a gateway: its sweeps run one at a time and not for long, so that a slow one never holds all workers."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connection

from payments.gateways import guard

# The first key of the advisory locks, any constant.
TURNS = 20_261_201
# How long a sweep begins new calls in a task, in seconds. The next task goes on.
LASTS = 10.0


@contextmanager
def take(name: str) -> Iterator[bool]:
    """Take the turn of this name for the block, and tell whether it was free. It is given back if the worker dies.

    It is a lock of the database's session: it holds over transactions. Call it with no transaction open.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", [TURNS, name])
        [is_taken] = cursor.fetchone()
    try:
        yield is_taken
    finally:
        if is_taken:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, hashtext(%s))", [TURNS, name])


def lasting(gateway: str | None, seconds: float = LASTS) -> Callable[[], bool]:
    """Return a function that says for so many seconds that a sweep may go on, while the gateway may be called."""
    end = time.monotonic() + seconds

    def goes_on() -> bool:
        return time.monotonic() < end and (gateway is None or not guard.is_paused(gateway))

    return goes_on
