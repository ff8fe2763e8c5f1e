"""allauth's forms for accounts and the second factor, with our labels, hints and autocomplete tokens.

Placeholders are removed: they vanish as soon as somebody types.
"""

from typing import Any

from allauth.account import forms as account_forms
from allauth.mfa.base import forms as mfa_forms
from allauth.mfa.totp import forms as totp_forms
from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import brute_force, encryption, second_factor
from accounts.models import User

PASSWORD_HINT = _("At least 10 characters. A few unrelated words are easy to remember and hard to guess.")


class BaseForm(forms.Form):
    """A form without placeholders. Subclasses describe their fields."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)
            field.error_messages["required"] = _("Fill in this field.")

    def describe(self, name: str, *, label: Any, hint: Any = "", autocomplete: str = "") -> None:
        """Set a field's label, hint and autocomplete token."""
        field = self.fields[name]
        field.label, field.help_text = label, hint
        if autocomplete:
            field.widget.attrs["autocomplete"] = autocomplete


class LoginForm(BaseForm, account_forms.LoginForm):
    """Log-in by user name or email address."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.describe("login", label=_("Username or email"), autocomplete="username")
        self.describe("password", label=_("Password"), autocomplete="current-password")
        self.fields["login"].max_length = 254  # type: ignore[attr-defined]


class SignupForm(BaseForm, account_forms.SignupForm):
    """Sign-up. One password field is enough: the password can be shown, and reset."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name_hint = _("Letters, digits and . + - _ only.")
        self.describe("username", label=_("Username"), hint=name_hint, autocomplete="username")
        self.describe(
            "email",
            label=_("Email address"),
            autocomplete="email",
            hint=_("For receipts, reminders, password resets and security notices."),
        )
        self.describe("password1", label=_("Password"), hint=PASSWORD_HINT, autocomplete="new-password")


class ResetPasswordForm(BaseForm, account_forms.ResetPasswordForm):
    """Request a reset link by email."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.describe("email", label=_("Email address"), autocomplete="email")


class ResetPasswordKeyForm(BaseForm, account_forms.ResetPasswordKeyForm):
    """Set a new password after following the reset link."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.describe("password1", label=_("New password"), hint=PASSWORD_HINT, autocomplete="new-password")
        self.describe("password2", label=_("New password again"), autocomplete="new-password")


class ChangePasswordForm(BaseForm, account_forms.ChangePasswordForm):
    """Change the password, given the current one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.describe("oldpassword", label=_("Current password"), autocomplete="current-password")
        self.describe("password1", label=_("New password"), hint=PASSWORD_HINT, autocomplete="new-password")
        self.describe("password2", label=_("New password again"), autocomplete="new-password")


class ReauthenticateForm(BaseForm, account_forms.ReauthenticateForm):
    """Confirm the password before a change to the account's security."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.describe("password", label=_("Password"), autocomplete="current-password")


class CodeForm(BaseForm):
    """Base of the forms that take a code. Browsers may fill the code in."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.describe("code", label=_("Code"), autocomplete="one-time-code")


class LimitedCodeForm(CodeForm):
    """A code with a limited number of tries: six digits are quickly guessed."""

    user: User

    def clean_code(self) -> str:
        """Return the code if it is right, and count a wrong one."""
        try:
            brute_force.check_code_try(self.user, now=timezone.now())
        except brute_force.TooManyAttempts as error:
            raise forms.ValidationError(error.detail, code=error.code) from error
        try:
            with encryption.of(self.user.pk):
                code: str = super().clean_code()  # type: ignore[misc]
        except encryption.Unreadable as error:
            raise forms.ValidationError(error.detail, code=error.code) from error
        second_factor.renew(self.user)
        brute_force.forget_code_tries(self.user)
        return code


class AuthenticateForm(LimitedCodeForm, mfa_forms.AuthenticateForm):
    """The code at log-in."""


class SecondFactorReauthenticateForm(LimitedCodeForm, mfa_forms.ReauthenticateForm):
    """The code before a change to the account's security."""


class ActivateTOTPForm(CodeForm, totp_forms.ActivateTOTPForm):
    """The first code of a new authenticator app."""
