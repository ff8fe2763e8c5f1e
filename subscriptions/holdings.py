"""What a customer has, as it is at an instant: rows, settled in memory. Right even while every worker is down.

For reading only: nothing here is ever saved.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db.models import Q, QuerySet

from accounts.models import User
from ledger.models import Account
from ledger.money import Money
from subscriptions import quotes
from subscriptions.engine.calendar import to_datetime
from subscriptions.engine.subscription import Status, Sub
from subscriptions.models import Price, Subscription
from subscriptions.rows import reading
from subscriptions.standing import Access, View, view

# What waits for money, and so tells how to pay.
UNPAID = (Status.PENDING, Status.SUSPENDED, Status.PAST_DUE)


class Period(NamedTuple):
    """The current paid period, half-open."""

    start: datetime
    end: datetime


class NextCharge(NamedTuple):
    """The next payment of an advance price that is sure to be asked for."""

    at: datetime
    amount: Money


@dataclass(frozen=True, slots=True)
class Holding:
    """One subscription as it is at an instant. Times that its status does not have are None."""

    row: Subscription
    price: Price
    status: Status
    access: Access
    auto_renew: bool
    cancel_requested: bool = False
    scheduled: Price | None = None
    period: Period | None = None
    trial_end: datetime | None = None
    grace_end: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    next_charge: NextCharge | None = None

    @property
    def is_unpaid(self) -> bool:
        """Whether it waits for money."""
        return self.status in UNPAID


@dataclass(frozen=True, slots=True)
class Holdings:
    """Every book of a customer at one instant."""

    customer: User
    views: list[View]

    def rows(self, *, status: str = "", plan: str = "") -> QuerySet[Subscription]:
        """Return the rows of the subscriptions that have this status and plan now; of all by default."""
        mine = Subscription.objects.filter(customer=self.customer).select_related("price__plan")
        if not (status or plan):
            return mine
        ended = {name: value for name, value in (("status", status), ("price__plan__code", plan)) if value}
        wanted = Price.objects.filter(plan__code=plan).values_list("plan", flat=True).first() if plan else None
        going_on = [
            pk
            for each in self.views
            for pk, sub in each.subs.items()
            if status in ("", sub.status) and (not plan or sub.terms.plan == wanted)
        ]
        return mine.filter(Q(pk__in=going_on) | Q(ended_at__isnull=False, **ended))

    def show(self, rows: Iterable[Subscription]) -> list[Holding]:
        """Return what these rows are now."""
        found = {pk: (each, sub) for each in self.views for pk, sub in each.subs.items()}
        shown = [(row, *found.get(row.pk, (None, None))) for row in rows]
        terms = {each.id for _, _, sub in shown if sub for each in (sub.terms, sub.scheduled) if each}
        prices = Price.objects.select_related("plan").in_bulk(terms)
        return [
            _settled(row, sub, looked.access_to(row), prices) if looked and sub else _as_written(row)
            for row, looked, sub in shown
        ]


def of(customer: User, *, now: datetime) -> Holdings:
    """Look at every book of the customer."""
    wallets = Account.objects.filter(owner=customer, kind=Account.Kind.WALLET).order_by("currency")
    shelf = reading.look(list(wallets.values_list("pk", flat=True)))
    return Holdings(customer, sorted((view(item.currency, item.book, now) for item in shelf), key=lambda v: v.currency))


def one(row: Subscription, *, now: datetime) -> Holding:
    """Return what one subscription is now."""
    return of(row.customer, now=now).show([row])[0]


def _as_written(row: Subscription) -> Holding:
    """A final subscription is what its row says."""
    return Holding(
        row,
        row.price,
        Status(row.status),
        Access(False, None, row.status),
        row.auto_renew,
        started_at=row.started_at,
        ended_at=row.ended_at,
    )


def _settled(row: Subscription, sub: Sub, access: Access, prices: dict[int, Price]) -> Holding:
    paid = sub.status is Status.ACTIVE and not sub.terms.metered and sub.start is not None and sub.end is not None
    return Holding(
        row,
        prices[_pk(sub.terms.id)],
        sub.status,
        access,
        sub.auto_renew,
        cancel_requested=sub.cancel_requested and sub.is_live,
        scheduled=prices[_pk(sub.scheduled.id)] if sub.scheduled else None,
        period=Period(to_datetime(sub.start or 0), to_datetime(sub.end or 0)) if paid else None,
        trial_end=_moment(sub.trial_end) if sub.status is Status.TRIALING else None,
        grace_end=_moment(sub.grace_end) if sub.status is Status.PAST_DUE else None,
        started_at=_moment(sub.started_at),
        ended_at=_moment(sub.ended_at),
        next_charge=_next_charge(sub, prices),
    )


def _next_charge(sub: Sub, prices: dict[int, Price]) -> NextCharge | None:
    """Metered use has no single next charge; a subscription that ends or waits for money has none at all."""
    at, due = quotes.next_charge(sub)
    if at is None or due is None:
        return None
    return NextCharge(at, Money(due, prices[_pk(sub.terms.id)].currency))


def _moment(at: int | None) -> datetime | None:
    return None if at is None else to_datetime(at)


def _pk(key: object) -> int:
    assert isinstance(key, int)
    return key
