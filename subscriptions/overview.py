"""The wallets and subscriptions of a customer at an instant, calculated from the rows.

Correct even while no worker runs. Read-only: nothing here is saved.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.db.models import Q, QuerySet

from accounts.models import User
from ledger.money import Money
from subscriptions.engine import subscription as engine
from subscriptions.engine.access import live_until, settled
from subscriptions.engine.book import Book
from subscriptions.engine.calendar import MICROSECOND, to_datetime, to_micros
from subscriptions.engine.metering import free
from subscriptions.engine.periods import grace_cost, unused
from subscriptions.engine.subscription import Sub
from subscriptions.models import Price, Subscription
from subscriptions.models.subscription import LIVE, UNPAID
from subscriptions.storage import read
from subscriptions.storage.read import pk_of

Status = Subscription.Status
FAR = to_micros(datetime(9999, 1, 1, tzinfo=UTC))


class Access(NamedTuple):
    """Whether the customer has access now, and until when it is certain; None if no end is known.

    `reason` is the status at this instant.
    """

    active: bool
    until: datetime | None
    reason: str


class Period(NamedTuple):
    """The current paid period [start, end)."""

    start: datetime
    end: datetime


class NextCharge(NamedTuple):
    """The next payment of an advance price."""

    at: datetime
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionState:
    """The state of one subscription at an instant. Times that do not apply to its status are None."""

    row: Subscription
    price: Price
    quantity: int
    status: Subscription.Status
    access: Access
    auto_renew: bool
    # It will end with its period. `cancel_requested` is True only while the request can be withdrawn: not in a pause.
    is_leaving: bool = False
    cancel_requested: bool = False
    scheduled: Price | None = None
    scheduled_quantity: int | None = None
    # Pending or suspended: when it expires unless it is paid.
    wait_end: datetime | None = None
    period: Period | None = None
    trial_end: datetime | None = None
    grace_end: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    next_charge: NextCharge | None = None
    # Minor units that the unused time is worth now.
    unused: int = 0
    # Minor units that the days of grace so far cost if it ends now.
    grace_cost: int = 0
    # The remaining time of an advance period, running or paused.
    left: timedelta = timedelta()

    @property
    def ends_on(self) -> datetime | None:
        """When a running subscription that will not be renewed ends; None if it goes on or is not running."""
        will_end = self.is_leaving or (not self.auto_renew and not self.price.metered)
        is_running = self.status in (Subscription.Status.ACTIVE, Subscription.Status.TRIALING)
        return self.access.until if will_end and is_running else None

    @property
    def is_unpaid(self) -> bool:
        """Tell whether it waits for money."""
        return self.status in UNPAID


@dataclass(frozen=True, slots=True)
class View:
    """One book at an instant, in minor units. `subs` has the engine's subscriptions by id, without ended ones."""

    currency: str
    # The saved balance.
    balance: int
    # The balance less all that is used and due but not saved yet.
    available: int
    # What is owed, and paid first by whatever money comes.
    debt: int
    subs: dict[int, Sub]
    book: Book

    def status_of(self, subscription: Subscription) -> Subscription.Status:
        """Return the status at this instant, also of an ended subscription."""
        sub = self.subs.get(subscription.pk)
        return Status(sub.status if sub else subscription.status)

    @property
    def spendable(self) -> Money:
        """What is available, as money."""
        return Money(self.available, self.currency)

    @property
    def in_use(self) -> Money:
        """What is used or due now but not saved yet."""
        return Money(self.balance - self.available, self.currency)

    @property
    def at(self) -> int:
        """The instant of the view, in microseconds."""
        assert self.book.at is not None
        return self.book.at

    @property
    def now(self) -> datetime:
        """The same as a datetime."""
        return to_datetime(self.at)

    def access_to(self, subscription: Subscription) -> Access:
        """Return whether the customer has access to the subscription at this instant."""
        return self.access_by_key(subscription.pk, subscription.status)

    def access_by_key(self, pk: int, status: str) -> Access:
        """Return the same for the subscription with this primary key and the status in its row."""
        sub = self.subs.get(pk)
        if sub is None:
            return Access(False, None, status)
        until = live_until(self.book, sub)
        return Access(sub.is_live, None if until is None or until > FAR else to_datetime(until), str(sub.status))


@dataclass(frozen=True, slots=True)
class CustomerOverview:
    """All books of a customer at one instant."""

    customer: User
    views: list[View]
    # Primary keys of the wallets by currency.
    wallets: dict[str, int] = field(default_factory=dict)

    def rows(self, *, status: str = "", plan: str = "") -> QuerySet[Subscription]:
        """Return the rows of the subscriptions with this status and plan at this instant, by default all."""
        owned = Subscription.objects.filter(customer=self.customer).select_related("price__plan")
        if not (status or plan):
            # One that was ordered after the books were read is in none of them.
            return owned.filter(Q(pk__in=[pk for each in self.views for pk in each.subs]) | Q(ended_at__isnull=False))
        ended = {name: value for name, value in (("status", status), ("price__plan__code__iexact", plan)) if value}
        wanted = Price.objects.filter(plan__code__iexact=plan).values_list("plan", flat=True).first() if plan else None
        current = [
            pk
            for each in self.views
            for pk, sub in each.subs.items()
            if status in ("", sub.status) and (not plan or sub.terms.plan == wanted)
        ]
        return owned.filter(Q(pk__in=current) | Q(ended_at__isnull=False, **ended))

    def states(self, rows: Iterable[Subscription]) -> list[SubscriptionState]:
        """Return the states of these rows, loaded with price and plan, at this instant, in their order.

        A row that was read before the books, and whose subscription has ended since, is read again.
        """
        rows, current = list(rows), {pk: (each, sub) for each in self.views for pk, sub in each.subs.items()}
        for row in rows:
            if row.pk not in current and row.ended_at is None:
                row.refresh_from_db(fields=["status", "started_at", "ended_at", "auto_renew"])
        pairs = [(row, *current.get(row.pk, (None, None))) for row in rows]
        terms = {each.id for _, _, sub in pairs if sub for each in (sub.terms, sub.scheduled) if each}
        prices = {row.price_id: row.price for row, _, _ in pairs}
        if terms - prices.keys():
            prices |= Price.objects.select_related("plan").in_bulk(terms - prices.keys())
        return [_current(row, sub, view, prices) if view and sub else _final(row) for row, view, sub in pairs]


def of(customer: User, *, now: datetime) -> CustomerOverview:
    """Return the overview of all books of the customer at `now`."""
    items = sorted(read.look_owned(customer.pk), key=lambda item: item.currency)
    views = [view(item.currency, item.book, now) for item in items]
    return CustomerOverview(customer, views, {item.currency: item.wallet_id for item in items})


def one(row: Subscription, *, now: datetime) -> SubscriptionState:
    """Return the state of one subscription at `now`."""
    return of(row.customer, now=now).states([row])[0]


def peek(customer: User, currency: str, *, now: datetime) -> View:
    """Return a view of the customer's book in `currency` at `now`; an empty one if there is no wallet."""
    loaded = read.look_owned(customer.pk, currency)
    return view(currency, loaded[0].book if loaded else Book(), now)


def view(currency: str, book: Book, now: datetime) -> View:
    """Return a view of the book, settled to `now` on a copy."""
    at = max(to_micros(now), book.at or 0)
    twin = settled(book, at)
    # The view needs an instant even if there is nothing to settle.
    twin.at = at
    subs = {pk_of(sub.id): sub for sub in twin.subs}
    return View(currency, book.balance, max(0, free(twin, at)), twin.debt, subs, twin)


def access(subscription: Subscription, *, now: datetime) -> Access:
    """Return whether the customer has access to the subscription at `now`, even if no billing run has settled it."""
    [item] = read.look([subscription.wallet_id])
    return view(item.currency, item.book, now).access_to(subscription)


def access_by_id(public_id: str, customer_id: int, *, now: datetime) -> Access | None:
    """Return the same for the subscription with this public id; None if the customer has no such one.

    A seller's product asks this at each of its own requests, so it is one statement, without the ORM.
    """
    found = read.look_behind(public_id, customer_id)
    if found is None:
        return None
    item, pk, status = found
    return view(item.currency, item.book, now).access_by_key(pk, status)


def next_charge(sub: Sub) -> tuple[datetime | None, int | None]:
    """Return the instant and the amount (minor units) of the subscription's next payment, if nothing changes.

    Both are None for a metered subscription and for one that ends or waits for money. The amount alone is None if a
    metered plan is scheduled.
    """
    if sub.status is engine.Status.ACTIVE and not sub.terms.metered and sub.auto_renew and not sub.cancel_requested:
        terms, quantity = sub.scheduled or sub.terms, sub.scheduled_quantity or sub.quantity
        assert sub.end is not None
        return to_datetime(sub.end), None if terms.metered else terms.amount * quantity * sub.periods
    if sub.status is engine.Status.TRIALING and not sub.cancel_requested and not sub.terms.metered:
        assert sub.trial_end is not None
        return to_datetime(sub.trial_end), sub.due
    return None, None


def _final(row: Subscription) -> SubscriptionState:
    """Return the state of an ended subscription, from its row alone."""
    return SubscriptionState(
        row=row,
        price=row.price,
        quantity=row.quantity,
        status=Status(row.status),
        access=Access(False, None, row.status),
        auto_renew=row.auto_renew,
        started_at=row.started_at,
        ended_at=row.ended_at,
    )


def _current(row: Subscription, sub: Sub, view: View, prices: dict[int, Price]) -> SubscriptionState:
    price, status, at = prices[pk_of(sub.terms.id)], Status(sub.status), view.book.at or 0
    runs_ahead = status is Status.ACTIVE and not sub.terms.metered and sub.start is not None and sub.end is not None
    due_at, due = next_charge(sub)
    return SubscriptionState(
        row=row,
        price=price,
        quantity=sub.quantity,
        status=status,
        access=view.access_to(row),
        auto_renew=sub.auto_renew,
        is_leaving=sub.cancel_requested,
        cancel_requested=sub.cancel_requested and status in LIVE,
        scheduled=prices[pk_of(sub.scheduled.id)] if sub.scheduled else None,
        scheduled_quantity=sub.scheduled_quantity,
        wait_end=moment(sub.wait_end),
        period=Period(to_datetime(sub.start or 0), to_datetime(sub.end or 0)) if runs_ahead else None,
        trial_end=moment(sub.trial_end) if status is Status.TRIALING else None,
        grace_end=moment(sub.grace_end) if status is Status.PAST_DUE else None,
        started_at=moment(sub.started_at),
        ended_at=moment(sub.ended_at),
        next_charge=NextCharge(due_at, Money(due, price.currency)) if due_at and due is not None else None,
        unused=unused(sub, at),
        grace_cost=grace_cost(sub, at),
        left=_left(sub, at) * MICROSECOND,
    )


def _left(sub: Sub, at: int) -> int:
    """Return the remaining microseconds of an advance period, running or paused."""
    if sub.status is engine.Status.PAUSED:
        return sub.left or 0
    return sub.end - at if sub.status is engine.Status.ACTIVE and not sub.terms.metered and sub.end is not None else 0


def moment(at: int | None) -> datetime | None:
    """Return an instant in microseconds as a datetime."""
    return None if at is None else to_datetime(at)
