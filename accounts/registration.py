"""Create a customer, and change a customer's own data."""

from datetime import datetime
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.forms import default_token_generator
from allauth.account.models import EmailAddress
from allauth.account.utils import user_pk_to_url_str
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts import mails, tokens
from accounts.models import User
from core.errors import DomainError


class Taken(DomainError):
    """Another user has the name or the email address. `fields` says which; the message is always the same."""

    code = "taken"

    def __init__(self, fields: list[str]) -> None:
        super().__init__(", ".join(fields), param=fields[0] if fields else None)
        self.fields = fields


def taken_message(field: str) -> str:
    """Return the message for a taken `username` or `email`: the same whoever has it."""
    if field == "username":
        return _("This username is not available. Choose another one.")
    return _("This email address is not available. If it is yours, log in or reset your password.")


def register(*, username: str, email: str, password: str, language: str = "en") -> User:
    """Create a customer and greet them by mail; raise Taken, also for the loser of a race for the same name."""
    user = User(username=username, email=email, language=language)
    user.set_password(password)
    with transaction.atomic():
        _save(user)
        mails.welcome(user)
    return user


def change(user: User, *, now: datetime, **changes: Any) -> User:
    """Save a user's changes to their own data; raise Taken and change nothing.

    A new password ends all sessions of the API. A new email address replaces the old one for log-in and reset. The
    owner is told of both by mail, of a new address at the one before.
    """
    password, before = changes.pop("password", None), user.email
    for name, value in changes.items():
        setattr(user, name, value)
    with transaction.atomic():
        _save(user, fields=list(changes)) if "email" in changes else user.save(update_fields=list(changes))
        if user.email != before:
            mails.address_changed(user, before=before, now=now)
        if password is not None:
            user.set_password(password)
            user.save(update_fields=["password"])
            tokens.end_all(user, now=now)
            mails.password_changed(user, now=now)
    return user


def replace_address(user: User, email: str, *, now: datetime) -> None:
    """Give a customer another valid email address, for staff: both addresses are told. Raise Taken.

    The new address replaces the old one for log-in and reset; a link that was sent to the old one is void.
    """
    before, user.email = user.email, email
    with transaction.atomic():
        _save(user, fields=["email"])
        mails.address_set(user, before=before, now=now)


def send_password_link(user: User) -> None:
    """Send the owner of an account the mail with the link for a new password. The link works once."""
    secret = default_token_generator.make_token(user)
    link = get_adapter().get_reset_password_from_key_url(f"{user_pk_to_url_str(user)}-{secret}")
    values = {"user": user, "username": user.username, "password_reset_url": link}
    get_adapter().send_password_reset_mail(user, user.email, values)


def set_address(user: User) -> None:
    """Make `user.email` the only address for log-in and reset: replace the user's rows of allauth's EmailAddress."""
    EmailAddress.objects.filter(user=user).delete()
    EmailAddress.objects.create(user=user, email=user.email, primary=True)


def taken_fields(user: User) -> list[str]:
    """Return which of `username` and `email` another user already has, ignoring case."""
    others = User.objects.exclude(pk=user.pk)
    return [
        field for field in ("username", "email") if others.filter(**{f"{field}__iexact": getattr(user, field)}).exists()
    ]


def _save(user: User, fields: list[str] | None = None) -> User:
    try:
        with transaction.atomic():
            user.save(update_fields=fields)
            set_address(user)
    except IntegrityError:
        raise Taken(taken_fields(user) or ["email"]) from None
    return user
