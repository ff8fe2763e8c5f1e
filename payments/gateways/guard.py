"""What stands between our code and every gateway: one kind of error, and a breaker for a gateway that does not answer.

The breaker's counts are in the cache, so that all processes share them. Without a cache every call is made.
"""

from collections.abc import Callable, Iterator
from typing import Any, cast

import structlog
from django.core.cache import cache

from payments.gateways.base import Gateway, GatewayError

log = structlog.get_logger(__name__)

# The calls that go over the network.
CALLS = frozenset(
    {
        "create_session", "fetch", "cancel", "refund", "find_refund", "fetch_refund", "fetch_dispute", "fetch_method",
    }
)  # fmt: skip
LISTS = frozenset({"list_payments", "list_payouts"})
# So many calls without an answer, each within MEMORY seconds of the one before, stop all calls for PAUSE seconds.
LIMIT = 5
MEMORY = 120
PAUSE = 30


class Guarded:
    """A gateway whose calls raise GatewayError and nothing else, and are refused at once while the breaker is open."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._gateway, name)
        if name in CALLS:
            return lambda *args, **named: self._call(attribute, *args, **named)
        if name in LISTS:
            return lambda *args, **named: self._iterate(attribute, *args, **named)
        return attribute

    def _call(self, call: Callable[..., Any], *args: Any, **named: Any) -> Any:
        self._check()
        try:
            answer = call(*args, **named)
        except Exception as error:
            raise self._failed(error) from error
        cache.delete(_failures(self._gateway.name))
        return answer

    def _iterate(self, call: Callable[..., Iterator[Any]], *args: Any, **named: Any) -> Iterator[Any]:
        self._check()
        try:
            yield from call(*args, **named)
        except Exception as error:
            raise self._failed(error) from error

    def _check(self) -> None:
        if cache.get(_pause(self._gateway.name)):
            detail = f"{self._gateway.name} has not answered for a while, so it is not asked for {PAUSE} s."
            raise GatewayError(detail, permanent=False, code="paused")

    def _failed(self, error: Exception) -> GatewayError:
        """Return the error to raise, and count it unless the gateway has answered."""
        if isinstance(error, GatewayError) and error.permanent:
            cache.delete(_failures(self._gateway.name))
            return error
        self._count()
        if isinstance(error, GatewayError):
            return error
        log.error("gateway_call_raised", gateway=self._gateway.name, exc_info=error)
        return GatewayError(f"{type(error).__name__}: {error}", permanent=False, code="unexpected")

    def _count(self) -> None:
        key = _failures(self._gateway.name)
        failures = 1 if cache.add(key, 1, timeout=MEMORY) else _increased(key)
        if failures >= LIMIT:
            cache.set(_pause(self._gateway.name), 1, timeout=PAUSE)
            log.error("gateway_paused", gateway=self._gateway.name, seconds=PAUSE)


def guarded(gateway: Gateway) -> Gateway:
    """Return the gateway behind its guard."""
    return cast(Gateway, Guarded(gateway))


def _increased(key: str) -> int:
    try:
        failures = cache.incr(key)
        cache.touch(key, MEMORY)
    except ValueError:
        # It has just lapsed.
        return 1
    return failures


def _failures(name: str) -> str:
    return f"gateway-failures:{name}"


def _pause(name: str) -> str:
    return f"gateway-paused:{name}"
