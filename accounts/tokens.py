"""JWTs of the API: a short-lived access token, and a refresh token that works once.

A family is all tokens that came from one log-in. A live family has exactly one unspent refresh token. A family without
one has ended: by log-out, or because a spent token was used again, which means that two parties hold it.
"""

import uuid
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.utils.translation import gettext as _
from rest_framework_simplejwt import tokens as jwt
from rest_framework_simplejwt.exceptions import TokenError

from accounts.models import RefreshToken, User
from core import prepared_statements
from core.deletion import delete
from core.errors import DomainError

# The largest primary key there can be.
LARGEST_ID = 2**63 - 1
# The user whom a token lets in. Each request of the API asks this: in SQL, because the ORM takes longer to build the
# query than PostgreSQL to answer it.
_COLUMNS = {field.attname: field.column for field in User._meta.concrete_fields}
OWNER = f"""
    SELECT {", ".join(f"owner.{column}" for column in _COLUMNS.values())} FROM accounts_user AS owner
    WHERE owner.id = %s AND owner.token_version = %s AND owner.is_active AND EXISTS (
        SELECT FROM accounts_refreshtoken WHERE user_id = owner.id AND family = %s AND spent_at IS NULL)
"""  # noqa: S608 - column names only


class InvalidToken(DomainError):
    """The token is forged, expired, spent or ended, or its user is disabled. The answer does not say which."""

    code = "invalid_token"


class Pair(NamedTuple):
    """The tokens that a log-in or a rotation returns."""

    access: str
    refresh: str


class Claims(NamedTuple):
    """The claims of a token whose signature and dates are valid."""

    user_id: int
    version: int
    family: uuid.UUID
    jti: uuid.UUID


def issue(user: User, *, now: datetime, family: uuid.UUID | None = None) -> Pair:
    """Issue a pair of tokens and store the refresh token's id. Without `family`, start a new one."""
    family = family or uuid.uuid4()
    access, refresh = _filled(jwt.AccessToken(), user, family), _filled(jwt.RefreshToken(), user, family)
    RefreshToken.objects.create(
        jti=uuid.UUID(refresh["jti"]), user=user, family=family, created_at=now, expires_at=now + refresh.lifetime
    )
    return Pair(str(access), str(refresh))


def rotate(token: str, *, now: datetime) -> Pair:
    """Spend a refresh token and return a new pair; raise InvalidToken.

    Of any number of calls with one token, exactly one succeeds. The second use of a spent token ends the whole family,
    including the pair that the first call returned.
    """
    claims = read(token, kind=jwt.RefreshToken)
    with transaction.atomic():
        spent = RefreshToken.objects.filter(
            jti=claims.jti, user=claims.user_id, family=claims.family, spent_at=None, expires_at__gt=now
        ).update(spent_at=now)
        user = User.objects.filter(pk=claims.user_id, is_active=True, token_version=claims.version).first()
        if spent and user:
            return issue(user, now=now, family=claims.family)
    # The transaction above is committed by now: raising InvalidToken must not roll back the end of the family.
    _end(claims, now=now)
    raise InvalidToken(_("This refresh token is no longer valid. Log in again."))


def end(token: str, *, now: datetime, everywhere: bool = False) -> None:
    """Log out: end the token's family, or with `everywhere` all tokens of the user.

    Raise InvalidToken for a token that is forged, expired or already ended.
    """
    claims = read(token, kind=jwt.RefreshToken)
    user = owner(claims)
    if user is None:
        raise InvalidToken(_("This refresh token is no longer valid."))
    _end(claims, now=now)
    if everywhere:
        end_all(user, now=now)


def end_all(user: User, *, now: datetime) -> None:
    """Invalidate every token of the user at once."""
    with transaction.atomic():
        locked = User.objects.select_for_update().get(pk=user.pk)
        user.token_version = locked.token_version = locked.token_version + 1
        locked.save(update_fields=["token_version"])
        RefreshToken.objects.filter(user=user, spent_at=None).update(spent_at=now)


def read(token: str | bytes, *, kind: type[jwt.Token]) -> Claims:
    """Return the token's claims; raise InvalidToken unless we signed it, it is of this kind and it is in date."""
    try:
        payload = kind(token).payload  # type: ignore[arg-type]
        claims = Claims(payload["user_id"], payload["ver"], uuid.UUID(payload["fam"]), uuid.UUID(payload["jti"]))
    except (TokenError, KeyError, ValueError, TypeError, AttributeError, OverflowError, OSError) as error:
        raise InvalidToken(_("The token is invalid, of the wrong type, or expired.")) from error
    if not all(type(number) is int and 0 <= number <= LARGEST_ID for number in (claims.user_id, claims.version)):
        raise InvalidToken(_("The token is invalid, of the wrong type, or expired."))
    return claims


def owner(claims: Claims) -> User | None:
    """Return the token's user, or None if the user is disabled, the version is old or the family ended. One query."""
    rows = prepared_statements.run(OWNER, [claims.user_id, claims.version, claims.family])
    return User.from_db(connection.alias, list(_COLUMNS), rows[0]) if rows else None


def forget(*, now: datetime) -> int:
    """Delete expired refresh tokens and return how many."""
    return delete(RefreshToken.objects.filter(expires_at__lte=now))


def _filled(token: Any, user: User, family: uuid.UUID) -> Any:
    """Set our claims on a new token and return it."""
    token["user_id"], token["ver"], token["fam"] = user.pk, user.token_version, str(family)
    return token


def _end(claims: Claims, *, now: datetime) -> None:
    """End the family of these claims."""
    RefreshToken.objects.filter(user=claims.user_id, family=claims.family, spent_at=None).update(spent_at=now)
