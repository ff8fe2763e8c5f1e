"""Changing the address of an account: the new one is used once its owner has opened the link that was sent to it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from django.core import signing
from django.db import transaction

from accounts import mails, registration
from accounts.models import User
from core import links

SALT = "accounts.address_change"
# How long the link may be used.
GOOD_FOR = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Change:
    """A change that was asked for: whose address, from which to which."""

    user_id: int
    before: str
    after: str


def ask(user: User, address: str) -> None:
    """Send the link to a valid new address. If another account has it, its owner is told that instead.

    Whoever asks learns nothing about that.
    """
    wanted = User(pk=user.pk, username=user.username, email=address)
    if "email" in registration.taken_fields(wanted):
        mails.address_has_an_account(address)
        return
    token = signing.dumps([user.pk, user.email, address], salt=SALT)
    mails.confirm_change(user, address, url=links.absolute("email_change", token))


def read(user: User, token: str) -> Change | None:
    """Return the change of a link; None if it is not this user's, too old, or the address has changed since."""
    try:
        change = Change(*signing.loads(token, salt=SALT, max_age=GOOD_FOR))
    except (signing.BadSignature, TypeError, ValueError):
        return None
    return change if (change.user_id, change.before) == (user.pk, user.email) else None


def confirm(user: User, change: Change, *, now: datetime) -> None:
    """Give the account its new, confirmed address, and tell the owner at the one before. Raise registration.Taken."""
    with transaction.atomic():
        registration.change(user, now=now, email=change.after)
        EmailAddress.objects.filter(user=user).update(verified=True)
