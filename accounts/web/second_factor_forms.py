"""allauth's forms of the second factor, in our clothes."""

from typing import Any

from allauth.mfa.base import forms as base
from allauth.mfa.totp import forms as totp
from django.utils.translation import gettext_lazy as _

from accounts.web.forms import Plain


class Code(Plain):
    """One code: digits on a phone's keyboard, filled in by those who can."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.describe("code", label=_("Code"), autocomplete="one-time-code")


class AuthenticateForm(Code, base.AuthenticateForm):
    """At log-in."""


class ReauthenticateForm(Code, base.ReauthenticateForm):
    """Before a change to what protects the account."""


class ActivateTOTPForm(Code, totp.ActivateTOTPForm):
    """The first code of a new app."""
