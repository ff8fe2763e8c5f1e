"""How often a user and an address may call the API. Rates come from settings.API_RATES; counting is accounts.rates.

A view with `throttle_scope = "login"` is counted under that rate too, by address, before anything else is looked at.
"""

from typing import Any

from django.conf import settings
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts import rates
from accounts.addresses import client_address, network_of


class Throttle(BaseThrottle):
    """Counts one request under one of settings.API_RATES."""

    seconds = 0

    def allow_request(self, request: Request, view: Any) -> bool:
        """Return whether this request is within the rate."""
        scope, who = self.counted(request, view)
        if not scope or not who:
            return True
        now = timezone.now()  # noqa: TID251
        self.seconds = rates.hit(scope, who, rate=rates.parse(settings.API_RATES[scope]), now=now)
        return self.seconds == 0

    def counted(self, request: Request, view: Any) -> tuple[str, str]:
        """Return the rate's name and who is counted; empty for not at all."""
        raise NotImplementedError

    def wait(self) -> float:
        """Return the seconds until the next request is welcome."""
        return self.seconds


class ByUser(Throttle):
    """One user, from wherever."""

    def counted(self, request: Request, view: Any) -> tuple[str, str]:
        return "user", str(request.user.pk or "")


class ByAddress(Throttle):
    """One address, whoever."""

    def counted(self, request: Request, view: Any) -> tuple[str, str]:
        return "address", network_of(client_address(request))


class ByScope(Throttle):
    """One address at one sensitive view, such as the log-in."""

    def counted(self, request: Request, view: Any) -> tuple[str, str]:
        return getattr(view, "throttle_scope", ""), network_of(client_address(request))
