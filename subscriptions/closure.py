"""Closing a customer's account, and opening it again: the only code that sets `is_active`.

From the instant of the closing nothing more is used or renewed: metered use is paused, days of grace end, and periods
paid in advance run out without a renewal. Opening resumes what the closing has paused.
"""

from datetime import datetime

from django.db import connection, transaction

from accounts import tokens
from accounts.models import User
from core.retry import retried
from events import outbox
from ledger.models import Account
from subscriptions import books

# Tells the trigger on accounts_user that the subscriptions are taken care of, until the transaction ends.
ALLOW = "SELECT set_config('billing.closing', 'on', true)"


@retried
def close(customer: User, *, now: datetime) -> None:
    """Close the account: its owner cannot log in, and nothing is charged for the time after `now`."""
    with transaction.atomic():
        if not _is_active(customer):
            return
        for currency in _currencies(customer):
            with books.open(customer, currency, now=now) as book:
                book.block()
        _set_active(customer, False, now=now)
        tokens.end_all(customer, now=now)


@retried
def reopen(customer: User, *, now: datetime) -> None:
    """Open a closed account: what the closing paused runs again if the wallet can pay for it."""
    with transaction.atomic():
        if _is_active(customer):
            return
        for currency in _currencies(customer):
            with books.open(customer, currency, now=now) as book:
                book.unblock()
        _set_active(customer, True, now=now)


def _is_active(customer: User) -> bool:
    """Lock the customer's row and return whether the account is open."""
    return User.objects.select_for_update(no_key=True).values_list("is_active", flat=True).get(pk=customer.pk)


def _currencies(customer: User) -> list[str]:
    """Return the currencies of the customer's wallets, in the order in which wallets are locked."""
    wallets = Account.objects.filter(owner=customer, kind=Account.Kind.WALLET).order_by("pk")
    return list(wallets.values_list("currency", flat=True))


def _set_active(customer: User, value: bool, *, now: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(ALLOW)
    User.objects.filter(pk=customer.pk).update(is_active=value)
    customer.is_active = value
    kind = "customer.reopened" if value else "customer.closed"
    outbox.record([(customer.pk, kind, customer.username, now, {})])
