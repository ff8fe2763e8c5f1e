"""Second factor for the API's log-in (TOTP, RFC 6238, by allauth.mfa): required of users who have set one up."""

from datetime import datetime

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts import brute_force, encryption, mails, tokens
from accounts.models import User
from core.errors import DomainError


class SecondFactorRequired(DomainError):
    """The password is right, but a code is required too."""

    code = "second_factor_required"
    param = "code"


def check(request: HttpRequest, user: User, *, code: str | None) -> None:
    """Check the code of a user who has a second factor; raise SecondFactorRequired without a code.

    A wrong code counts as a failed log-in: raise WrongCredentials or TooManyAttempts. Raise encryption.Unreadable if
    what is stored cannot be used.
    """
    factors = list(Authenticator.objects.filter(user=user).exclude(type=Authenticator.Type.WEBAUTHN))
    if not factors:
        return
    if not code:
        raise SecondFactorRequired(_("Send the code from your authenticator app too."))
    with encryption.of(user.pk):
        for factor in factors:
            if factor.wrap().validate_code(code):
                factor.record_usage()
                renew(user)
                return
    raise brute_force.record_failure(request, name=user.get_username())


def reset(user: User, *, now: datetime) -> bool:
    """Delete the second factor and its recovery codes, end all sessions, tell the owner. Return False without one."""
    with transaction.atomic():
        deleted, _rows = Authenticator.objects.filter(user=user).delete()
        if deleted:
            tokens.end_all(user, now=now)
            mails.second_factor_reset(user, now=now)
    return bool(deleted)


def renew(user: User) -> None:
    """Encrypt the secrets of this user anew, where that was done with an older key or without the user."""
    for row in Authenticator.objects.filter(user=user):
        if not _is_current(row):
            _renew_row(row.pk)


def renew_all() -> tuple[int, int]:
    """Encrypt the secrets of every second factor with the first of MFA_KEYS, each row by itself, if they are not yet.

    Return how many rows there are, and how many of them were encrypted anew. Raises ValueError if MFA_KEYS is empty or
    malformed, encryption.WrongKey if none of the keys decrypts a row, and encryption.WrongUser for another user's.
    """
    encryption.keys()
    rows = list(Authenticator.objects.order_by("pk").values_list("pk", flat=True))
    return len(rows), sum(_renew_row(pk) for pk in rows)


def _is_current(row: Authenticator) -> bool:
    return all(encryption.is_current(each) for each in encryption.secrets(row.data))


def _renew_row(pk: int) -> bool:
    """Encrypt a row anew. Return False if it needs nothing or is gone."""
    with transaction.atomic():
        row = Authenticator.objects.select_for_update().filter(pk=pk).first()
        if row is None:
            return False
        texts = {each: encryption.decrypt(each, row.user_id) for each in encryption.secrets(row.data)}
        if _is_current(row):
            return False
        row.data = encryption.with_secrets(row.data, lambda each: encryption.encrypt(texts[each], row.user_id))
        row.save(update_fields=["data"])
    return True
