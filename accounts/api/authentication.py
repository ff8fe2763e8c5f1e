"""`Authorization: Bearer <access token>`, checked against the user's current state on every request."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.contrib.rest_framework_simplejwt import SimpleJWTScheme
from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.tokens import AccessToken

from accounts import tokens


class TokenAuthentication(JWTAuthentication):
    """Refuse at once the tokens of a disabled or deleted user, of an ended session or of an old token version."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        """Return the user and the claims, or None without a bearer token; raise tokens.InvalidToken."""
        header = self.get_header(request)
        raw = self.get_raw_token(header) if header else None
        if raw is None:
            return None
        claims = tokens.read(raw, kind=AccessToken)
        user = tokens.owner(claims)
        if user is None:
            raise tokens.InvalidToken(_("Your session has ended. Log in again."))
        return user, claims

    def get_raw_token(self, header: bytes) -> bytes | None:
        """Return the token in the header. The scheme may be written in any case (RFC 9110, 11.1)."""
        scheme, _, rest = header.partition(b" ")
        is_bearer = scheme.lower() == b"bearer"
        return super().get_raw_token(b"Bearer " + rest if is_bearer else header)


class TokenScheme(SimpleJWTScheme):  # type: ignore[no-untyped-call]
    """Describe TokenAuthentication in OpenAPI."""

    target_class = "accounts.api.authentication.TokenAuthentication"
    name = "bearer"
