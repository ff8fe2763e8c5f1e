"""allauth's forms with our labels, autocomplete tokens and no placeholder: a label that vanishes is none."""

from typing import Any

from allauth.account import forms as theirs
from allauth.mfa.base import forms as base
from allauth.mfa.totp import forms as totp
from django import forms
from django.utils.translation import gettext_lazy as _

PASSWORD_HINT = _("At least 10 characters. A few unrelated words are easy to keep in mind and hard to guess.")


class Plain(forms.Form):
    """Labels above, hints between, nothing inside the field."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)

    def describe(self, name: str, *, label: Any, hint: Any = "", autocomplete: str = "") -> None:
        """Set the words and the autocomplete token of one field."""
        field = self.fields[name]
        field.label, field.help_text = label, hint
        if autocomplete:
            field.widget.attrs["autocomplete"] = autocomplete


class LoginForm(Plain, theirs.LoginForm):
    """By user name or by email address."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.describe("login", label=_("User name or email"), autocomplete="username")
        self.describe("password", label=_("Password"), autocomplete="current-password")
        self.fields["login"].max_length = 254  # type: ignore[attr-defined]


class SignupForm(Plain, theirs.SignupForm):
    """The password once: it can be shown, and it can be reset."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name_hint = _("Letters, digits and @ . + - _ only.")
        self.describe("username", label=_("User name"), hint=name_hint, autocomplete="username")
        self.describe("email", label=_("Email address"), hint=_("To reset your password by."), autocomplete="email")
        self.describe("password1", label=_("Password"), hint=PASSWORD_HINT, autocomplete="new-password")


class ResetPasswordForm(Plain, theirs.ResetPasswordForm):
    """Where to send the link."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.describe("email", label=_("Email address"), autocomplete="email")


class ResetPasswordKeyForm(Plain, theirs.ResetPasswordKeyForm):
    """The new password, after the link."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.describe("password1", label=_("New password"), hint=PASSWORD_HINT, autocomplete="new-password")
        self.describe("password2", label=_("New password again"), autocomplete="new-password")


class ChangePasswordForm(Plain, theirs.ChangePasswordForm):
    """The new password, by somebody who knows the old one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.describe("oldpassword", label=_("Current password"), autocomplete="current-password")
        self.describe("password1", label=_("New password"), hint=PASSWORD_HINT, autocomplete="new-password")
        self.describe("password2", label=_("New password again"), autocomplete="new-password")


class ReauthenticateForm(Plain, theirs.ReauthenticateForm):
    """The password once more, before a change to what protects the account."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.describe("password", label=_("Password"), autocomplete="current-password")


class Code(Plain):
    """One code: digits on a phone's keyboard, filled in by those who can."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.describe("code", label=_("Code"), autocomplete="one-time-code")


class AuthenticateForm(Code, base.AuthenticateForm):
    """At log-in."""


class SecondFactorReauthenticateForm(Code, base.ReauthenticateForm):
    """Before a change to what protects the account."""


class ActivateTOTPForm(Code, totp.ActivateTOTPForm):
    """The first code of a new app."""
