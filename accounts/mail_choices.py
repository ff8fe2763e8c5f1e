"""Which mails a customer gets: the categories, and stopping one of them by the signed link in a mail (RFC 8058)."""

from collections.abc import Collection

from django.core import signing
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from core import links

SALT = "accounts.mail_choices"


class MailCategory(models.TextChoices):
    """What a mail is about. Mails about the account and about money are always sent."""

    ACCOUNT = "account", _("Your account")
    MONEY = "money", _("Payments and debts")
    REMINDERS = "reminders", _("Reminders before a renewal, and when the balance runs low")
    CHANGES = "changes", _("Changes of your subscriptions")


# The categories that a customer may switch off.
OPTIONAL = (MailCategory.REMINDERS, MailCategory.CHANGES)


def wants(user: User, category: MailCategory) -> bool:
    """Return whether mails of the category are sent to this customer."""
    return category not in OPTIONAL or category not in user.mails_off


def wanted(user: User) -> list[str]:
    """Return the optional categories that are sent to this customer."""
    return [category.value for category in OPTIONAL if wants(user, category)]


def choose(user: User, categories: Collection[str]) -> None:
    """Send this customer mails of these optional categories and of no other one."""
    user.mails_off = all_but(categories)
    user.save(update_fields=["mails_off"])


def all_but(categories: Collection[str]) -> list[str]:
    """Return the optional categories but these."""
    return [category.value for category in OPTIONAL if category not in categories]


def stop(user: User, category: MailCategory) -> None:
    """Send no more mails of a category to this customer, if it is optional. Doing it again changes nothing."""
    with transaction.atomic():
        row = User.objects.select_for_update(no_key=True).only("mails_off").get(pk=user.pk)
        if wants(row, category) and category in OPTIONAL:
            row.mails_off.append(category.value)
            row.save(update_fields=["mails_off"])
    user.mails_off = row.mails_off


def stop_url(user: User, category: MailCategory) -> str:
    """Return the link by which anybody who has the mail stops mails of the category. It needs no log-in."""
    return links.absolute("stop_mails", signing.dumps([user.pk, category.value], salt=SALT))


def read_token(token: str) -> tuple[User, MailCategory] | None:
    """Return the customer and the category of a token of stop_url; None if we did not make it."""
    try:
        pk, category = signing.loads(token, salt=SALT)
        return User.objects.get(pk=pk), MailCategory(category)
    except (signing.BadSignature, ValueError, TypeError, User.DoesNotExist):
        return None
