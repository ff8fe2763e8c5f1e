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

    A wrong code counts as a failed log-in: raise WrongCredentials or TooManyAttempts.
    """
    factors = list(Authenticator.objects.filter(user=user).exclude(type=Authenticator.Type.WEBAUTHN))
    if not factors:
        return
    if not code:
        raise SecondFactorRequired(_("Send the code from your authenticator app too."))
    for factor in factors:
        if factor.wrap().validate_code(code):
            factor.record_usage()
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


def renew_all() -> int:
    """Encrypt the secrets of every second factor with the first of MFA_KEYS, each row by itself; return how many rows.

    Raises cryptography.fernet.InvalidToken if none of the keys decrypts one.
    """
    done = 0
    for pk in Authenticator.objects.order_by("pk").values_list("pk", flat=True):
        with transaction.atomic():
            row = Authenticator.objects.select_for_update().filter(pk=pk).first()
            if row is not None:
                row.data = encryption.with_secrets(row.data, encryption.renew)
                row.save(update_fields=["data"])
                done += 1
    return done
