"""The one way to change a wallet or a subscription: open the book, do one thing, close it.

A click, a webhook, a staff act and the scheduler's tick all come through here. What the rules are is the engine's
business, what is written is rows/'s.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import transaction

from accounts.models import User
from ledger import wallets
from subscriptions.billing_run import Run, run_due
from subscriptions.engine.calendar import to_micros
from subscriptions.engine.settling import settle
from subscriptions.models import Price
from subscriptions.open_book import OpenBook, Refused
from subscriptions.rows import reading, writing
from subscriptions.standing import Access, View, access, peek, view

__all__ = [
    "Access", "OpenBook", "Refused", "Run", "View", "access", "due", "lasting_periods", "open", "peek", "run_due",
    "view",
]  # fmt: skip


@contextmanager
def open(  # noqa: A001 - `books.open(...)` is how it reads
    customer: User, currency: str, *, now: datetime
) -> Iterator[OpenBook]:
    """Open the customer's book in `currency`, locked and settled to `now`; everything is written when it closes.

    An exception inside writes nothing at all. A `now` before the book's own clock is taken to be that clock.
    """
    with transaction.atomic():
        [item] = reading.lock([wallets.wallet_id_of(customer.pk, currency)])
        at = max(to_micros(now), item.book.at or 0)
        settle(item.book, at)
        book = OpenBook(item, customer, at)
        yield book
        writing.write([item])
        book.refresh()


def lasting_periods(price: Price, periods: int) -> int:
    """Return how many intervals one payment of the subscription buys. Of metered use `periods` are only prepaid once:

    a change to a plan that is paid ahead must not sell as many months as hours were.
    """
    return 1 if price.metered else periods


def due(price: Price, quantity: int, periods: int) -> int:
    """Return what `periods` intervals cost in minor units: one payment of an advance price, or so much prepaid use."""
    return price.amount * quantity * periods
