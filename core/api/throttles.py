"""Rate limits of the API by user and by address, counted in the cache. Rates come from settings.API_RATES.

A view with `throttle_scope = "login"` is also limited by that rate, per address. Password guesses must be counted
exactly, so accounts.brute_force counts them in PostgreSQL.
"""

import hashlib
from typing import Any

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from core.addresses import client_network


class Throttle(SimpleRateThrottle):
    """DRF's throttle with settings.API_RATES. While the cache is down, requests pass (core.cache)."""

    def __init__(self) -> None:
        """Skip DRF's look-up of the rate, which here depends on the view."""

    def allow_request(self, request: Request, view: Any) -> bool:
        """Return whether this request is within the rate."""
        scope = self.scope_of(view)
        if not scope:
            return True
        self.scope = scope
        self.rate = settings.API_RATES[scope]
        self.num_requests, self.duration = self.parse_rate(self.rate)
        return bool(super().allow_request(request, view))

    def scope_of(self, view: Any) -> str:
        """Return the name of the rate, or an empty string for no limit."""
        return str(self.scope or "")

    def get_cache_key(self, request: Request, view: Any) -> str | None:
        """Return the caller's cache key, hashed so that the cache holds no names or addresses in clear text."""
        caller = self.ident(request)
        digest = hashlib.sha256(f"{self.scope} {caller}".encode()).hexdigest()
        return f"throttle:{digest}" if caller else None

    def ident(self, request: Request) -> str:
        """Return whom to count: by default the caller's network."""
        return client_network(request)


class ByUser(Throttle):
    """Limit each user, whatever the address."""

    scope = "user"

    def ident(self, request: Request) -> str:
        """Return the user's primary key, or an empty string without a user."""
        return str(request.user.pk or "")


class ByAddress(Throttle):
    """Limit each network, whoever the user."""

    scope = "address"


class ByScope(Throttle):
    """Limit each network at a sensitive view, such as the log-in."""

    def scope_of(self, view: Any) -> str:
        """Return the view's own scope."""
        return getattr(view, "throttle_scope", "")
