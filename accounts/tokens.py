"""JWTs of the API: a short-lived access token, and a refresh token that works once.

A family is all tokens that came from one log-in. A live family has exactly one unspent refresh token. A family without
one has ended: by log-out, or because a spent token was used again, which means that two parties hold it. A repeat
within REPEATED_WITHIN is two tabs of one browser, or an answer that was lost: it gets the same pair. The tokens
themselves are not stored: their claims say how to make them again.
"""

import uuid
from datetime import datetime, timedelta
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
# How long after its use a refresh token still gets the pair that it got.
REPEATED_WITHIN = timedelta(seconds=30)
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
    return _pair(_store(user, family or uuid.uuid4(), now=now), user)


def rotate(token: str, *, now: datetime) -> Pair:
    """Spend a refresh token and return the next pair; raise InvalidToken.

    Any number of calls with one token within REPEATED_WITHIN, also at the same time, return the same pair. A later use
    of a spent token ends the whole family, including the pairs that it got.
    """
    claims = read(token, kind=jwt.RefreshToken)
    with transaction.atomic():
        # The user first, as in end_all, so that the two do not wait for each other.
        user = User.objects.select_for_update(no_key=True).filter(pk=claims.user_id, is_active=True).first()
        own = RefreshToken.objects.select_for_update()
        row = own.filter(jti=claims.jti, user=claims.user_id, family=claims.family, expires_at__gt=now).first()
        if row and user and user.token_version == claims.version:
            if row.spent_at is None:
                successor = _store(user, row.family, now=now)
                row.spent_at, row.successor = now, successor.jti
                row.save(update_fields=["spent_at", "successor"])
                return _pair(successor, user)
            if row.successor and now <= row.spent_at + REPEATED_WITHIN and owner(claims):
                return _pair(RefreshToken.objects.get(jti=row.successor), user)
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


def _store(user: User, family: uuid.UUID, *, now: datetime) -> RefreshToken:
    """Store a new refresh token of the family and return it."""
    expires_at = now + jwt.RefreshToken.lifetime
    return RefreshToken.objects.create(user=user, family=family, created_at=now, expires_at=expires_at)


def _pair(row: RefreshToken, user: User) -> Pair:
    """Return the pair of a stored refresh token: the same one whenever it is made."""
    access_id = uuid.uuid5(row.jti, "access")
    return Pair(
        access=str(_made(jwt.AccessToken(), access_id, row, user)),
        refresh=str(_made(jwt.RefreshToken(), row.jti, row, user)),
    )


def _made(token: Any, jti: uuid.UUID, row: RefreshToken, user: User) -> Any:
    """Set all claims of a new token and return it."""
    token.set_iat(at_time=row.created_at)
    token.set_exp(from_time=row.created_at)
    token["jti"] = jti.hex
    token["user_id"], token["ver"], token["fam"] = user.pk, user.token_version, str(row.family)
    return token


def _end(claims: Claims, *, now: datetime) -> None:
    """End the family of these claims."""
    RefreshToken.objects.filter(user=claims.user_id, family=claims.family, spent_at=None).update(spent_at=now)
