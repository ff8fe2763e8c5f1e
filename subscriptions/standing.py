"""How a customer stands at an instant, by arithmetic alone: right even while every worker is down. Writes nothing."""

from dataclasses import dataclass
from datetime import UTC, datetime

from accounts.models import User
from ledger.models import Account
from subscriptions.engine.access import live_until, settled
from subscriptions.engine.book import Book
from subscriptions.engine.calendar import to_datetime, to_micros
from subscriptions.engine.leftover import spoken_for
from subscriptions.engine.subscription import Status, Sub
from subscriptions.models import Subscription
from subscriptions.rows import reading

FAR = to_micros(datetime(9999, 1, 1, tzinfo=UTC))


@dataclass(frozen=True, slots=True)
class Access:
    """Whether the subscription may be used now; `until` when that is certain, None when no end is in sight.

    `reason` is the status it has at this instant.
    """

    active: bool
    until: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class View:
    """A book as it stands at an instant, in minor units. `subs` by the subscription's id, final ones left out."""

    currency: str
    # What the rows say.
    balance: int
    # After what is used or due but not yet written down, fractions too where they come to a whole unit.
    available: int
    # The same, below zero where more is spoken for than there is.
    free: int
    subs: dict[int, Sub]
    book: Book

    def status_of(self, subscription: Subscription) -> Status:
        """The status at this instant, also of one that has just ended."""
        sub = self.subs.get(subscription.pk)
        return sub.status if sub else Status(subscription.status)

    def access_to(self, subscription: Subscription) -> Access:
        """Whether it may be used at this instant."""
        sub = self.subs.get(subscription.pk)
        if sub is None:
            return Access(False, None, subscription.status)
        until = live_until(self.book, sub)
        return Access(sub.is_live, None if until is None or until > FAR else to_datetime(until), str(sub.status))


def peek(customer: User, currency: str, *, now: datetime) -> View:
    """Look at the customer's book in `currency` as it stands at `now`. A wallet that is not there is empty."""
    ids = Account.objects.filter(owner=customer, kind=Account.Kind.WALLET, currency=currency).values_list(
        "pk", flat=True
    )
    shelf = reading.look(list(ids))
    return view(currency, shelf[0].book if shelf else Book(), now)


def view(currency: str, book: Book, now: datetime) -> View:
    """Settle a copy of the book to `now`."""
    at = max(to_micros(now), book.at or 0)
    twin = settled(book, at)
    # Nothing to settle, nothing to settle it with: the questions still need an instant.
    twin.at = at
    free = twin.balance - spoken_for(twin)
    return View(currency, book.balance, max(0, free), free, {_pk(sub): sub for sub in twin.subs}, twin)


def access(subscription: Subscription, *, now: datetime) -> Access:
    """Tell whether the subscription may be used at `now`, whatever the workers have or have not done."""
    [item] = reading.look([subscription.wallet_id])
    return view(item.currency, item.book, now).access_to(subscription)


def _pk(sub: Sub) -> int:
    assert isinstance(sub.id, int)
    return sub.id
