"""The words of the mails about accounts: the welcome, links to confirm an address or to set a password, and notices of
changes to the log-in.

They are sent through Django's mail backend, in the caller's transaction and the recipient's language and time zone.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.mail import send_mail
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from core import dates, letters, links
from core.letters import Notice


def send(notice: Callable[[], Notice], address: str, *, user: User | None, language: str) -> None:
    """Send a mail to the address of a user, or to one that nobody has: then in `language`. Without one do nothing."""
    if not address:
        return
    with translation.override(user.language if user else language), timezone.override(user.zone if user else None):
        letter = letters.render(notice(), name=user.greeting_name if user else "")
    send_mail(letter.subject, letter.text, None, [address], html_message=letter.html)


def welcome(user: User) -> None:
    """Greet a new customer. Where addresses are confirmed, the mail with the link greets instead."""

    def notice() -> Notice:
        return Notice(
            title=_("Welcome to %(site_name)s") % {"site_name": settings.SITE_NAME},
            sentences=[
                _("Your account is ready. You log in as %(username)s.") % {"username": user.username},
                _("Choose a plan to begin. You pay only for what you choose."),
            ],
            button=_("See plans"),
            url=links.absolute("pricing"),
        )

    send(notice, user.email, user=user, language=user.language)


def address_changed(user: User, *, before: str, now: datetime) -> None:
    """Tell the owner of an account at the address before that it has another one now."""
    values = {"from_email": before, "to_email": user.email, "timestamp": now}
    send(lambda: of(ADDRESS_CHANGED, values), before, user=user, language=user.language)


def confirm_change(user: User, address: str, *, url: str) -> None:
    """Send the link that gives an account its new address, to that address."""

    def notice() -> Notice:
        return Notice(
            title=_("Confirm your new email address"),
            sentences=[
                _("You asked to change the address of your account from %(before)s to this one.")
                % {"before": user.email},
                _("Open the link while you are logged in. It works for one day."),
            ],
            button=_("Change my address"),
            url=url,
            note=_("If it was not you, ignore this email: nothing changes."),
        )

    send(notice, address, user=user, language=user.language)


def address_has_an_account(address: str) -> None:
    """Tell the owner of an address that somebody tried to give it to another account."""
    owner = User.objects.filter(email__iexact=address).first()

    def notice() -> Notice:
        return Notice(
            title=_("You already have an account"),
            sentences=[
                _(
                    "You, or someone else, tried to use %(email)s for another account. There is already an account "
                    "with it."
                )
                % {"email": address},
            ],
            note=_("If it was not you, ignore this email."),
        )

    send(notice, address, user=owner, language=settings.LANGUAGE_CODE)


def address_set(user: User, *, before: str, now: datetime) -> None:
    """Tell the owner of an account, at both addresses, that staff have changed it."""
    address_changed(user, before=before, now=now)
    values = {"from_email": before, "to_email": user.email, "timestamp": now}
    send(lambda: of(ADDRESS_CHANGED, values), user.email, user=user, language=user.language)


def second_factor_reset(user: User, *, now: datetime) -> None:
    """Tell the owner of an account that two-step verification is off."""
    values = {"timestamp": now}
    send(lambda: of("mfa/email/totp_deactivated", values), user.email, user=user, language=user.language)


def password_changed(user: User, *, now: datetime) -> None:
    """Tell the owner of an account that the password was changed."""
    values = {"timestamp": now}
    send(lambda: of("account/email/password_changed", values), user.email, user=user, language=user.language)


def of(name: str, values: Mapping[str, Any]) -> Notice:
    """Return one of allauth's mails, by the prefix of its templates, with what allauth puts into them.

    Raises KeyError for a mail that we do not have. A test compares the names with those of allauth.
    """
    return MAILS[name](values) if name in MAILS else _security_notice(name, values)


def _confirm_sign_up(values: Mapping[str, Any]) -> Notice:
    return _confirm(values, greeting=[_("Welcome to %(site_name)s.") % {"site_name": settings.SITE_NAME}])


def _confirm(values: Mapping[str, Any], greeting: list[str] | None = None) -> Notice:
    if code := values.get("code"):
        return _code(_("Confirm your email address"), code)
    return Notice(
        title=_("Confirm your email address"),
        sentences=[*(greeting or []), _("Please confirm that this is your address.")],
        button=_("Confirm my address"),
        url=values["activate_url"],
        note=_("If you did not sign up, ignore this email."),
    )


def _already_exists(values: Mapping[str, Any]) -> Notice:
    return Notice(
        title=_("You already have an account"),
        sentences=[
            _("You, or someone else, tried to sign up with the address %(email)s. There is already an account with it.")
            % values,
            _("If you have forgotten your password, set a new one."),
        ],
        button=_("Set a new password"),
        url=links.absolute("account_reset_password"),
    )


def _unknown(values: Mapping[str, Any]) -> Notice:
    return Notice(
        title=_("No account with this address"),
        sentences=[
            _(
                "You, or someone else, asked to reset the password for %(email)s. There is no account with this "
                "address. You may have used another one."
            )
            % values,
        ],
        button=_("Sign up"),
        url=links.absolute("account_signup"),
        note=_("If it was not you, ignore this email."),
    )


def _reset(values: Mapping[str, Any]) -> Notice:
    return Notice(
        title=_("Set a new password"),
        sentences=[_("You, or someone else, asked to reset the password of your account.")],
        rows=[(_("Username"), values["username"])],
        button=_("Set a new password"),
        url=values["password_reset_url"],
        note=_("The link works once. If it was not you, ignore this email: your password stays the same."),
    )


def _log_in_code(values: Mapping[str, Any]) -> Notice:
    return _code(_("Your code to log in"), values["code"])


def _reset_code(values: Mapping[str, Any]) -> Notice:
    return _code(_("Your code to set a new password"), values["code"])


def _code(title: str, code: str) -> Notice:
    return Notice(
        title=title,
        sentences=[_("Enter this code in the browser window that asks for it.")],
        rows=[(_("Code"), code)],
        note=_("If it was not you, ignore this email."),
    )


def _security_notice(name: str, values: Mapping[str, Any]) -> Notice:
    """Return a mail about something that was done to the log-in, with when and from where.

    An address that the account has lost cannot set a new password any more.
    """
    is_lost = name == ADDRESS_CHANGED
    rows = [
        (_("Address before"), values.get("from_email")),
        (_("Address now"), values.get("to_email")),
        (_("Address removed"), values.get("deleted_email")),
        (_("Date"), dates.moment(values["timestamp"])),
        (_("IP address"), values.get("ip")),
    ]
    return Notice(
        title=str(CHANGES[name]),
        sentences=[
            _("If it was you, you don't need to do anything."),
            _("If it was not you, write to us at once.")
            if is_lost
            else _("If it was not you, set a new password now and write to us."),
        ],
        rows=[(label, value) for label, value in rows if value],
        button="" if is_lost else _("Set a new password"),
        url=links.absolute("account_reset_password"),
        tone="warn",
        tag=_("Security"),
    )


ADDRESS_CHANGED = "account/email/email_changed"
# By the prefix of allauth's templates.
MAILS: dict[str, Callable[[Mapping[str, Any]], Notice]] = {
    "account/email/account_already_exists": _already_exists,
    "account/email/email_confirmation": _confirm,
    "account/email/email_confirmation_signup": _confirm_sign_up,
    "account/email/login_code": _log_in_code,
    "account/email/password_reset_code": _reset_code,
    "account/email/password_reset_key": _reset,
    "account/email/unknown_account": _unknown,
}
CHANGES = {
    ADDRESS_CHANGED: gettext_lazy("Your email address was changed"),
    "account/email/email_confirm": gettext_lazy("Your email address is confirmed"),
    "account/email/email_deleted": gettext_lazy("An email address was removed from your account"),
    "account/email/password_changed": gettext_lazy("Your password was changed"),
    "account/email/password_reset": gettext_lazy("Your password was changed"),
    "account/email/password_set": gettext_lazy("Your password has been set"),
    "mfa/email/recovery_codes_generated": gettext_lazy("You have new recovery codes"),
    "mfa/email/totp_activated": gettext_lazy("Two-step verification is on"),
    "mfa/email/totp_deactivated": gettext_lazy("Two-step verification is off"),
    "mfa/email/webauthn_added": gettext_lazy("A security key was added"),
    "mfa/email/webauthn_removed": gettext_lazy("A security key was removed"),
}
