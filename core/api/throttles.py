"""How often a user and an address may call the API, counted in the cache. Rates come from settings.API_RATES.

A view with `throttle_scope = "login"` is counted under that rate too, by address. What must be exact, the guesses of a
password, is counted in PostgreSQL by accounts.brute_force.
"""

import hashlib
from typing import Any

import structlog
from django.conf import settings
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from core.addresses import client_address, network_of

log = structlog.get_logger(__name__)


class Throttle(SimpleRateThrottle):
    """DRF's throttle over settings.API_RATES. A cache that is down lets requests pass: it must not stop the site."""

    def __init__(self) -> None:
        """Leave the rate open: it depends on the view."""

    def allow_request(self, request: Request, view: Any) -> bool:
        """Return whether this request is within the rate."""
        scope = self.scope_of(view)
        if not scope:
            return True
        self.scope = scope
        self.rate = settings.API_RATES[scope]
        self.num_requests, self.duration = self.parse_rate(self.rate)
        try:
            return bool(super().allow_request(request, view))
        except RedisError as error:
            log.warning("throttle_not_counted", scope=scope, error=str(error))
            return True

    def scope_of(self, view: Any) -> str:
        """Return the name of the rate, empty for none."""
        return str(self.scope or "")

    def get_cache_key(self, request: Request, view: Any) -> str | None:
        """Return the key under which this caller is counted: no name and no address stands in the cache in clear."""
        who = self.ident(request)
        digest = hashlib.sha256(f"{self.scope} {who}".encode()).hexdigest()
        return f"throttle:{digest}" if who else None

    def ident(self, request: Request) -> str:
        """Return who is counted: by default the caller's network."""
        return network_of(client_address(request))


class ByUser(Throttle):
    """One user, from any address."""

    scope = "user"

    def ident(self, request: Request) -> str:
        """Return the user's primary key, empty without a user."""
        return str(request.user.pk or "")


class ByAddress(Throttle):
    """One network, any user."""

    scope = "address"


class ByScope(Throttle):
    """One network at one sensitive view, such as the log-in."""

    def scope_of(self, view: Any) -> str:
        """Return the view's own rate."""
        return getattr(view, "throttle_scope", "")
