"""`Authorization: Bearer <access token>`, checked against the user as he is now, on every request."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.contrib.rest_framework_simplejwt import SimpleJWTScheme
from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.tokens import AccessToken

from accounts import tokens


class TokenAuthentication(JWTAuthentication):
    """A disabled or deleted user, an ended session and an old token version are out at once."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        """Return the user and the claims, or None without a bearer token. Raises tokens.InvalidToken."""
        header = self.get_header(request)
        raw = self.get_raw_token(header) if header else None
        if raw is None:
            return None
        claims = tokens.read(raw, kind=AccessToken)
        user = tokens.owner(claims)
        if user is None:
            raise tokens.InvalidToken(_("This session has ended. Log in again."))
        return user, claims


class TokenScheme(SimpleJWTScheme):  # type: ignore[no-untyped-call]
    """How OpenAPI is told."""

    target_class = "accounts.api.authentication.TokenAuthentication"
    name = "bearer"
