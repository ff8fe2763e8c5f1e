"""Closing a customer's account, and opening it again: the only code that sets `is_active`.

From the closing on nothing starts and nothing is renewed: metered use is paused and days of grace end. What was
promised runs out: a period that was paid in advance to its end, a free trial to its end. Opening resumes what the
closing has paused, and starts what is suspended if the wallet can pay for it.
"""

from collections.abc import Callable
from datetime import datetime

from django.db import connection, transaction

from accounts import tokens
from accounts.models import User
from core.retry import retried
from events import outbox
from ledger.models import Account
from subscriptions import books
from subscriptions.books import OpenBook

# Tells the trigger on accounts_user that the subscriptions are taken care of, until the transaction ends.
ALLOW = "SELECT set_config('billing.closing', 'on', true)"


@retried
def close(customer: User, *, now: datetime) -> None:
    """Close the account: its owner cannot log in, and no metered use and no renewal is charged after `now`."""
    with transaction.atomic():
        if _switch(customer, is_active=False, act=OpenBook.block, now=now):
            tokens.end_all(customer, now=now)


@retried
def reopen(customer: User, *, now: datetime) -> None:
    """Open a closed account: what the closing paused runs again if the wallet can pay for it."""
    with transaction.atomic():
        _switch(customer, is_active=True, act=OpenBook.unblock, now=now)


def _switch(customer: User, *, is_active: bool, act: Callable[[OpenBook], None], now: datetime) -> bool:
    """Block or unblock every book and then the account; tell whether it was not so before.

    Wallets are locked before the customer, as everywhere. The customer's row is locked FOR UPDATE, because whoever
    opens a wallet holds a key share of it. So a wallet that is being opened is waited for and then found, and one that
    is opened later waits for this transaction and finds the account closed.
    """
    if User.objects.values_list("is_active", flat=True).get(pk=customer.pk) is is_active:
        return False
    instants = {currency: _open(customer, currency, act, now=now) for currency in _currencies(customer)}
    locked = User.objects.select_for_update().values_list("is_active", flat=True)
    if locked.get(pk=customer.pk) is is_active:
        # Somebody else has done it meanwhile, and doing it again has changed nothing.
        return False
    for currency in _currencies(customer):
        if currency not in instants:
            instants[currency] = _open(customer, currency, act, now=now)
    # A book that was settled later than `now` is blocked at its own instant. It is said when all of them are.
    _set_active(customer, is_active, at=max(instants.values(), default=now))
    return True


def _open(customer: User, currency: str, act: Callable[[OpenBook], None], *, now: datetime) -> datetime:
    """Open the book, act on it, and return the instant at which that happened."""
    with books.open(customer, currency, now=now) as book:
        act(book)
        return book.now


def _currencies(customer: User) -> list[str]:
    """Return the currencies of the customer's wallets, in the order in which wallets are locked."""
    wallets = Account.objects.filter(owner=customer, kind=Account.Kind.WALLET).order_by("pk")
    return list(wallets.values_list("currency", flat=True))


def _set_active(customer: User, value: bool, *, at: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(ALLOW)
    User.objects.filter(pk=customer.pk).update(is_active=value)
    customer.is_active = value
    kind = "customer.reopened" if value else "customer.closed"
    outbox.record([(customer.pk, kind, customer.username, at, {})])
