"""A Redis or Valkey cache that may be down: it then forgets everything, and the site goes on."""

from typing import Any

import structlog
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)


class ForgetfulRedisCache(RedisCache):
    """Django's RedisCache, which answers as an empty cache while the server is unreachable.

    What is counted in it (throttles, allauth's rate limits) is then not limited. What must be exact, the guesses of a
    password, is counted in PostgreSQL.
    """

    def is_reachable(self) -> bool:
        """Return whether the server answers."""
        try:
            return bool(self._cache.get_client().ping())
        except RedisError:
            return False

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        """Return the value, or `default` if there is none or the server is down."""
        try:
            return super().get(key, default, version)
        except RedisError as error:
            _warn(error)
            return default

    def add(self, key: str, value: Any, *args: Any, **kwargs: Any) -> bool:
        """Add the value and return whether it was absent; True if the server is down."""
        try:
            return bool(super().add(key, value, *args, **kwargs))
        except RedisError as error:
            _warn(error)
            return True

    def set(self, key: str, value: Any, *args: Any, **kwargs: Any) -> None:
        """Set the value; do nothing if the server is down."""
        try:
            super().set(key, value, *args, **kwargs)
        except RedisError as error:
            _warn(error)

    def delete(self, key: str, version: int | None = None) -> bool:
        """Delete the value and return whether there was one; False if the server is down."""
        try:
            return bool(super().delete(key, version))
        except RedisError as error:
            _warn(error)
            return False

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        """Increment the value; a missing one, or a server that is down, raises ValueError as Django's own does."""
        try:
            return int(super().incr(key, delta, version))
        except RedisError as error:
            _warn(error)
            raise ValueError(f"Key {key!r} not found") from error


def _warn(error: RedisError) -> None:
    log.warning("cache_unreachable", error=type(error).__name__)
