"""How long the money lasts at the present use, and what ends then: the engine's runway with rows and dates."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from subscriptions.engine.calendar import to_datetime, to_micros
from subscriptions.engine.runway import HOURS, Runway, runway
from subscriptions.engine.subscription import Status, Sub
from subscriptions.models import Price, Subscription
from subscriptions.overview import View

# Hours before the end at which a low-balance notice is given.
NOTICE_HOURS = HOURS
# What lasts longer has no end in sight.
HORIZON = timedelta(days=365)
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Ending:
    """A subscription for which there will be no money, and the plan it will have by then."""

    subscription: Subscription
    price: Price
    # A renewal that will find no money: it may be used up to then all the same.
    grace_end: datetime | None = None


@dataclass(frozen=True, slots=True)
class Forecast:
    """The wallet is first too short at `ends_at`; `hours_left` is whole hours until then."""

    ends_at: datetime
    hours_left: int
    ends: list[Ending]


def of(view: View, *, now: datetime) -> Forecast | None:
    """Say when the wallet of a book falls short if no money comes; None when not within a year."""
    return by_currency([view], now=now).get(view.currency)


def by_currency(views: Iterable[View], *, now: datetime) -> dict[str, Forecast]:
    """Say it for several books in two queries; those with no end in sight are left out."""
    until = to_micros(now + HORIZON)
    ends = {view.currency: runway(view.book, until) for view in views}
    found = {currency: end for currency, end in ends.items() if end}
    subs = [sub for end in found.values() for sub in end.subs]
    rows = Subscription.objects.in_bulk([sub.id for sub in subs])
    prices = Price.objects.select_related("plan").in_bulk([sub.terms.id for sub in subs])
    return {currency: _forecast(end, rows, prices, now) for currency, end in found.items()}


def _forecast(end: Runway, rows: dict[int, Subscription], prices: dict[int, Price], now: datetime) -> Forecast:
    ends_at = to_datetime(end.ends_at)
    ends = [Ending(rows[_pk(sub.id)], prices[_pk(sub.terms.id)], _grace_end(sub)) for sub in end.subs]
    return Forecast(ends_at, max(0, (ends_at - now) // HOUR), ends)


def _grace_end(sub: Sub) -> datetime | None:
    return to_datetime(sub.grace_end) if sub.status is Status.PAST_DUE and sub.grace_end is not None else None


def _pk(key: object) -> int:
    assert isinstance(key, int)
    return key
