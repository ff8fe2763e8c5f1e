"""Second factor for the API's log-in (TOTP, RFC 6238, by allauth.mfa): required of users who have set one up."""

from allauth.mfa.models import Authenticator
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts import brute_force
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
