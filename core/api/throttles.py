"""Rate limits of the API by user and by address, counted in the cache. Rates come from settings.API_RATES.

A view with `throttle_scope = "login"` is also limited by that rate, per address. Password guesses must be counted
exactly, so accounts.brute_force counts them in PostgreSQL.
"""

import hashlib
import time
from collections.abc import Iterator
from typing import Any, cast

from django.conf import settings
from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from core.addresses import client_network
from core.cache import ForgetfulRedisCache

PERIODS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
# Each key is a list of the instants of the requests let through, newest first, no longer than the limit. A request is
# refused while the oldest of a full list lies within the period. DRF's own throttles do the same with two calls for
# each limit, and fetch and send the whole list each time.
# KEYS: one for each limit. ARGV: now, then for each limit the most requests and the period in seconds.
COUNT = """
    local waits = {}
    for n, key in ipairs(KEYS) do
        local most, period = tonumber(ARGV[2 * n]), tonumber(ARGV[2 * n + 1])
        local oldest = tonumber(redis.call('LINDEX', key, most - 1))
        local wait = oldest and oldest + period - tonumber(ARGV[1]) or 0
        if wait <= 0 then
            redis.call('LPUSH', key, ARGV[1])
            redis.call('LTRIM', key, 0, most - 1)
            redis.call('EXPIRE', key, period)
        end
        waits[n] = tostring(wait)
    end
    return waits
"""


class Limits(BaseThrottle):
    """All limits of a request, counted in one call of the cache. While the cache is down, requests pass."""

    # Seconds until the limits that refuse the request let one through again.
    seconds = 0.0

    def allow_request(self, request: Request, view: Any) -> bool:
        """Return whether this request is within all of its rates. It counts for those that it is within."""
        keys: list[str] = []
        arguments: list[float] = [time.time()]
        for scope, caller in self.counted(request, view):
            # Hashed, so that the cache holds no names or addresses in clear text.
            keys.append(f"rate:{hashlib.sha256(f'{scope} {caller}'.encode()).hexdigest()}")
            arguments += parsed(settings.API_RATES[scope])
        waits = cast(ForgetfulRedisCache, cache).run(COUNT, keys, arguments)
        self.seconds = max(waits or [0.0])
        return self.seconds <= 0

    def wait(self) -> float:
        """Return the seconds until the same request is within all rates."""
        return self.seconds

    def counted(self, request: Request, view: Any) -> Iterator[tuple[str, str]]:
        """Yield the name of each rate that applies, and who is counted."""
        network = client_network(request)
        if scope := getattr(view, "throttle_scope", ""):
            yield scope, network
        yield "address", network
        if user := request.user.pk:
            yield "user", str(user)


def parsed(rate: str) -> tuple[int, int]:
    """Return the most requests and the period in seconds of a rate such as `30/m`."""
    most, period = rate.split("/")
    return int(most), PERIODS[period[0]]
