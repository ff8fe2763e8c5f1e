"""The second factor of those who have set one up (TOTP, RFC 6238, by allauth.mfa): programs need it as pages do."""

from allauth.mfa.models import Authenticator
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts import brute_force
from accounts.models import User
from core.errors import DomainError


class SecondFactorRequired(DomainError):
    """The password was right; a code is needed too."""

    code = "second_factor_required"
    param = "code"


def check(request: HttpRequest, user: User, *, code: str | None) -> None:
    """Raise SecondFactorRequired, or what brute_force says about a wrong code; pass those who have no second factor."""
    factors = list(Authenticator.objects.filter(user=user).exclude(type=Authenticator.Type.WEBAUTHN))
    if not factors:
        return
    if not code:
        raise SecondFactorRequired(_("Send the code of your authenticator app too."))
    for factor in factors:
        if factor.wrap().validate_code(code):
            factor.record_usage()
            return
    raise brute_force.failed(request, name=user.get_username())
