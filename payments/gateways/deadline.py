"""How long calls to gateways may take: a worker waits longer than a web request, behind which a person waits."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.conf import settings

_end: ContextVar[float | None] = ContextVar("payments_gateways_deadline", default=None)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Give all calls in this block so many seconds together. Inner blocks can only shorten it."""
    outer, end = _end.get(), time.monotonic() + seconds
    token = _end.set(end if outer is None else min(outer, end))
    try:
        yield
    finally:
        _end.reset(token)


def left() -> float:
    """Return how many seconds a call may take now: at least a tenth, so that a time-out is never 0 or negative."""
    end = _end.get()
    seconds = float(settings.GATEWAY_TIMEOUT)
    return seconds if end is None else max(0.1, min(seconds, end - time.monotonic()))


def is_over() -> bool:
    """Tell whether the time of the block is used up: another call would only keep somebody waiting."""
    end = _end.get()
    return end is not None and time.monotonic() >= end
