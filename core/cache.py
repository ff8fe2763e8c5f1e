"""A Redis or Valkey cache that may be down: it then forgets everything, and the site goes on."""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import structlog
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import ResponseError

log = structlog.get_logger(__name__)
T = TypeVar("T")

# Seconds for which a process does not ask a server that failed, so that a hanging one slows down one request, not all.
SKIPPED_FOR = 10.0
UNREACHABLE, TAKES_NO_WRITES = "unreachable", "takes no writes"
# When each server is asked again, by its URL. Django makes a cache object for each thread; this is for all of them.
_skipped_until: dict[str, float] = {}


class ForgetfulRedisCache(RedisCache):
    """Django's RedisCache, which answers as an empty cache while the server is unreachable, and SKIPPED_FOR after that.

    A server whose answers make no sense, as if something else listened at its address, counts as unreachable.

    What is counted in it (throttles, allauth's rate limits) is then not limited. What must be exact, the guesses of a
    password, is counted in PostgreSQL.
    """

    # Set by Django's RedisCache.
    _servers: list[str]

    def trouble(self) -> str:
        """Return what is wrong, UNREACHABLE or TAKES_NO_WRITES, empty if nothing is. Then it is used again at once."""
        client = self._cache.get_client(write=True)
        try:
            if client.ping() is not True:
                return UNREACHABLE
            client.set(self.make_key("probe"), 1, px=1000)
        except ResponseError:
            # The server answers, but its memory is full, it is a replica, or its disk fails.
            return TAKES_NO_WRITES
        except Exception:  # noqa: BLE001 - see _ask
            return UNREACHABLE
        _skipped_until.pop(self._url, None)
        return ""

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        """Return the value, or `default` if there is none or the server is down."""
        return self._ask(partial(super().get, key, default, version), default)

    def add(self, key: str, value: Any, *args: Any, **kwargs: Any) -> bool:
        """Add the value and return whether it was absent; True if the server is down."""
        return bool(self._ask(partial(super().add, key, value, *args, **kwargs), True))

    def set(self, key: str, value: Any, *args: Any, **kwargs: Any) -> None:
        """Set the value; do nothing if the server is down."""
        self._ask(partial(super().set, key, value, *args, **kwargs), None)

    def delete(self, key: str, version: int | None = None) -> bool:
        """Delete the value and return whether there was one; False if the server is down."""
        return bool(self._ask(partial(super().delete, key, version), False))

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        """Increment the value; a missing one, or a server that is down, raises ValueError as Django's own does."""
        ask = partial(super().incr, key, delta, version)

        def question() -> int | None:
            try:
                return int(ask())
            except ValueError:
                # There is none. The client raises it too if the server's answer makes no sense.
                return None

        value = self._ask(question, None)
        if value is None:
            raise ValueError(f"Key {key!r} not found")
        return value

    def run(self, script: str, keys: Sequence[str], arguments: Sequence[Any]) -> list[float] | None:
        """Run a Lua script on these keys, in one step; return its list of numbers, or None if the server is down."""
        names = [self.make_and_validate_key(key) for key in keys]
        client = self._cache.get_client(write=True)

        def question() -> list[float] | None:
            return [float(number) for number in client.register_script(script)(names, arguments)]

        return self._ask(question, None)

    def add_up(self, key: str, amounts: Mapping[str, int]) -> None:
        """Add to several numbers under one key; do nothing if the server is down. They are kept until it is emptied."""

        def question() -> None:
            pipe = self._cache.get_client(write=True).pipeline(transaction=False)
            for field, amount in amounts.items():
                pipe.hincrby(self.make_key(key), field, amount)
            pipe.execute()

        self._ask(question, None)

    def added_up(self, key: str) -> dict[str, int]:
        """Return the numbers under a key; none if the server is down."""

        def question() -> dict[str, int]:
            found: dict[Any, Any] = self._cache.get_client().hgetall(self.make_key(key))
            return {field.decode(): int(number) for field, number in found.items()}

        nothing: dict[str, int] = {}
        return self._ask(question, nothing)

    @property
    def _url(self) -> str:
        return ",".join(self._servers)

    def _ask(self, question: Callable[[], T], otherwise: T) -> T:
        """Return the server's answer, or `otherwise` if it is down or was down just now."""
        if time.monotonic() < _skipped_until.get(self._url, 0.0):
            return otherwise
        try:
            return question()
        except Exception as error:  # noqa: BLE001 - the client raises anything for an answer that makes no sense
            _skipped_until[self._url] = time.monotonic() + SKIPPED_FOR
            log.warning("cache_unreachable", error=type(error).__name__)
            return otherwise
