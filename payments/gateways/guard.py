"""The guard around every gateway: one kind of error, a deadline, and a circuit breaker for one that does not answer.

The deadline says how long calls may take: a worker waits longer than a web request, behind which a person waits. The
breaker's counts are in the cache, so that all processes share them. Without a cache every call is made.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, cast

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.core.cache import cache
from django.dispatch import Signal

from payments.gateways.base import Gateway, Notification
from payments.gateways.errors import BadWebhook, GatewayError

log = structlog.get_logger(__name__)
_end: ContextVar[float | None] = ContextVar("payments_gateways_deadline", default=None)

# The calls that go over the network.
CALLS = frozenset(
    {
        "create_session", "fetch", "cancel", "charge", "find_charge", "refund", "find_refund", "fetch_refund",
        "fetch_dispute", "fetch_method", "remove_method", "create_setup", "fetch_setup", "fetch_payout",
        "webhook_problems",
    }
)  # fmt: skip
LISTS = frozenset({"list_payments", "list_refunds", "list_disputes", "list_payouts"})
# So many calls without an answer, each within MEMORY seconds of the one before, stop all calls for PAUSE seconds.
LIMIT = 5
MEMORY = 120
PAUSE = 30
# After the pause one call is a trial, and the others go on being refused until it ends, but no longer than this.
TRIAL = 30
# A call that takes more than this part of settings.GATEWAY_TIMEOUT counts as one without an answer: it holds a worker
# for just as long.
NEARLY_TOO_LATE = 0.5
# A gateway that takes so many seconds for a call is slow for the next MEMORY seconds (`is_slow`).
SLOW = 3.0
# The code of the error of a call that was not made, because the breaker is open.
PAUSED = "paused"
# The code of the error of a call that was not made, because no time was left for it.
LATE = "deadline"
# Sent after each call, for metrics: `gateway`, `call`, `outcome`, and `seconds` or None if the call was not made. The
# outcome is ok, refused (a permanent error), no_answer, paused (by the breaker) or late (no time was left).
called = Signal()
# A call that had less time than this says nothing about the gateway if it gets no answer. Seconds.
FAIR = 1.0


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Give all calls in this block so many seconds together. Inner blocks can only shorten it."""
    outer, end = _end.get(), time.monotonic() + seconds
    token = _end.set(end if outer is None else min(outer, end))
    try:
        yield
    finally:
        _end.reset(token)


def time_left() -> float:
    """Return how many seconds a call may take now: at least a tenth, so that a time-out is never 0 or negative."""
    end = _end.get()
    seconds = float(settings.GATEWAY_TIMEOUT)
    return seconds if end is None else max(0.1, min(seconds, end - time.monotonic()))


def is_late() -> bool:
    """Tell whether the time of the block is used up: another call would only keep somebody waiting."""
    end = _end.get()
    return end is not None and time.monotonic() >= end


def is_paused(name: str) -> bool:
    """Tell whether the breaker refuses calls to this gateway now, or all but the trial that another one is making."""
    if cache.get(_pause(name)) is not None:
        return True
    return (cache.get(_failures(name)) or 0) >= LIMIT and cache.get(_trial(name)) is not None


def is_slow(name: str) -> bool:
    """Tell whether a call to this gateway has lately taken long: then its tasks should hold one worker, not all."""
    return cache.get(_slow(name)) is not None


class Guarded:
    """A gateway whose calls raise GatewayError and nothing else, and are refused at once while the breaker is open.

    SoftTimeLimitExceeded, the end of a worker's time, passes through.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._gateway, name)
        if name in CALLS:
            return lambda *args, **named: self._call(name, attribute, *args, **named)
        if name in LISTS:
            return lambda *args, **named: self._iterate(name, attribute, *args, **named)
        return attribute

    def parse_webhook(self, *args: Any, **named: Any) -> Notification:
        """Verify a webhook; BadWebhook is the only error, whatever the body does to the gateway's code."""
        try:
            return self._gateway.parse_webhook(*args, **named)
        except BadWebhook:
            raise
        except Exception as error:
            log.exception("gateway_webhook_not_read", gateway=self._gateway.name)
            raise BadWebhook(f"It cannot be read: {type(error).__name__}.") from error

    def _call(self, name: str, call: Callable[..., Any], *args: Any, **named: Any) -> Any:
        with self._told(name), self._watched():
            return call(*args, **named)

    def _iterate(self, name: str, call: Callable[..., Iterator[Any]], *args: Any, **named: Any) -> Iterator[Any]:
        with self._told(name), self._watched(is_list=True):
            is_first = True
            for item in call(*args, **named):
                if is_first:
                    # Callers may not want the rest, and must not leave a trial open.
                    self._answered()
                    is_first = False
                yield item

    @contextmanager
    def _told(self, call: str) -> Iterator[None]:
        """Send `called` when the call inside this block has ended. No error of a receiver reaches the caller."""
        outcome, started = "no_answer", time.monotonic()
        try:
            yield
            outcome = "ok"
        except GatewayError as error:
            unmade = {PAUSED: "paused", LATE: "late"}.get(error.code)
            outcome = unmade or ("refused" if error.permanent else outcome)
            raise
        except GeneratorExit:
            outcome = "ok"
            raise
        finally:
            seconds = None if outcome in ("paused", "late") else time.monotonic() - started
            called.send_robust(None, gateway=self._gateway.name, call=call, outcome=outcome, seconds=seconds)

    @contextmanager
    def _watched(self, *, is_list: bool = False) -> Iterator[None]:
        """Make a call inside this block: refuse it if no time is left or the breaker is open, and count how it ends.

        A list may take long: it has many pages.
        """
        if is_late():
            raise GatewayError("No time is left for this call.", permanent=False, code=LATE)
        self._check()
        is_fair, started = time_left() >= FAIR, time.monotonic()
        try:
            yield
        except SoftTimeLimitExceeded:
            raise
        except GatewayError as error:
            if error.permanent or is_fair:
                self._note(started, has_answered=error.permanent)
            raise
        except Exception as error:
            if is_fair:
                self._note(started, has_answered=False)
            log.exception("gateway_call_raised", gateway=self._gateway.name)
            raise GatewayError(f"{type(error).__name__}: {error}", permanent=False, code="unexpected") from error
        self._note(time.monotonic() if is_list else started, has_answered=True)

    def _check(self) -> None:
        """Refuse the call while the breaker is open, and after that while another call is the trial."""
        name = self._gateway.name
        is_open = cache.get(_pause(name)) is not None
        if is_open or ((cache.get(_failures(name)) or 0) >= LIMIT and not cache.add(_trial(name), 1, timeout=TRIAL)):
            detail = f"{name} has not answered for a while, so it is not asked for {PAUSE} s."
            raise GatewayError(detail, permanent=False, code=PAUSED)

    def _note(self, started: float, *, has_answered: bool) -> None:
        """Note how a call has ended that began at `started`, on time.monotonic's clock."""
        seconds = time.monotonic() - started
        if seconds >= SLOW:
            cache.set(_slow(self._gateway.name), 1, timeout=MEMORY)
        if has_answered and seconds < settings.GATEWAY_TIMEOUT * NEARLY_TOO_LATE:
            self._answered()
        else:
            self._count()

    def _answered(self) -> None:
        for key in (_failures(self._gateway.name), _trial(self._gateway.name)):
            cache.delete(key)

    def _count(self) -> None:
        name = self._gateway.name
        failures = 1 if cache.add(_failures(name), 1, timeout=MEMORY) else _increased(_failures(name))
        if failures >= LIMIT:
            cache.set(_pause(name), 1, timeout=PAUSE)
            cache.delete(_trial(name))
            log.error("gateway_paused", gateway=name, seconds=PAUSE)


def guarded(gateway: Gateway) -> Gateway:
    """Return the gateway behind its guard."""
    return cast(Gateway, Guarded(gateway))


def _increased(key: str) -> int:
    try:
        failures = cache.incr(key)
    except ValueError:
        # It has just lapsed, or the cache is down.
        return 1
    cache.set(key, failures, timeout=MEMORY)
    return failures


def _failures(name: str) -> str:
    return f"gateway-failures:{name}"


def _pause(name: str) -> str:
    return f"gateway-paused:{name}"


def _slow(name: str) -> str:
    return f"gateway-slow:{name}"


def _trial(name: str) -> str:
    return f"gateway-trial:{name}"
