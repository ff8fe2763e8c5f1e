"""How long the wallet lasts at the present use: the engine's runway with rows and dates."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from subscriptions.engine.access import settled
from subscriptions.engine.book import Book
from subscriptions.engine.calendar import MICROSECOND, to_datetime, to_micros
from subscriptions.engine.funds import top_up
from subscriptions.engine.runway import HOURS, Runway, may_fall_short, runway, shortages
from subscriptions.engine.subscription import Status, Sub
from subscriptions.models import Price, Subscription
from subscriptions.overview import View
from subscriptions.storage.read import pk_of

# Hours before the end at which a low-balance notice is sent.
NOTICE_HOURS = HOURS
# The longest forecast. A wallet that lasts longer has no known end.
HORIZON = timedelta(days=365)
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Ending:
    """A subscription that the wallet cannot pay, and its price at that time."""

    subscription: Subscription
    price: Price
    # Set for an unpaid renewal with a grace: the customer has access until then.
    grace_end: datetime | None = None


@dataclass(frozen=True, slots=True)
class Forecast:
    """The wallet first runs short at `ends_at`; `hours_left` is the number of whole hours until then."""

    ends_at: datetime
    hours_left: int
    ends: list[Ending]
    # Whether all that ends is unpaid already. It says by itself until when it goes on: that is no end of the balance.
    is_of_unpaid: bool


def of(view: View, *, now: datetime) -> Forecast | None:
    """Return when the wallet runs short if no money comes in; None if it lasts a year."""
    return by_currency([view], now=now).get(view.currency)


def by_currency(views: Iterable[View], *, now: datetime, known: Iterable[Subscription] = ()) -> dict[str, Forecast]:
    """Return the forecasts of several books by currency. Leave out those that last a year.

    `known` are rows with price and plan that need not be looked up: with all of them, there is no query.
    """
    until = to_micros(now + HORIZON)
    books = {view.currency: view.book for view in views}
    ends = {currency: runway(book, until) for currency, book in books.items()}
    short = {currency: end for currency, end in ends.items() if end}
    subs = [sub for end in short.values() for sub in end.subs]
    rows = {row.pk: row for row in known}
    prices = {row.price_id: row.price for row in rows.values()}
    if unknown := [sub.id for sub in subs if sub.id not in rows]:
        rows |= Subscription.objects.in_bulk(unknown)
    if missing := [sub.terms.id for sub in subs if sub.terms.id not in prices]:
        prices |= Price.objects.select_related("plan").in_bulk(missing)
    return {
        currency: Forecast(
            to_datetime(end.ends_at),
            max(0, (to_datetime(end.ends_at) - now) // HOUR),
            [Ending(rows[pk_of(sub.id)], prices[pk_of(sub.terms.id)], _grace_end(sub)) for sub in end.subs],
            _is_of_unpaid(end, books[currency]),
        )
        for currency, end in short.items()
    }


def first_unpaid(view: View) -> dict[int, datetime]:
    """Return by primary key when the wallet first cannot pay for a subscription if no money comes in.

    It looks as far as the next renewal of each and, where something is metered, a year ahead.
    """
    if view.book.is_blocked:
        return {}
    ends = [sub.boundary for sub in view.subs.values() if sub.status in (Status.ACTIVE, Status.TRIALING)]
    if any(sub.rate for sub in view.book.meters.values()):
        ends.append(view.at + HORIZON // MICROSECOND)
    until = max((end for end in ends if end is not None), default=None)
    if until is None or not may_fall_short(view.book, until):
        return {}
    return {pk_of(sub): to_datetime(at) for sub, at in shortages(view.book, until).items()}


def after_top_ups(view: View, amounts: Iterable[int], *, now: datetime) -> dict[int, datetime | None]:
    """Return by each amount, in minor units, until when the wallet lasts if so much money comes now; None: for a year.

    Empty if it lasts a year with each of them. Left out is an amount with which only what is unpaid already would end.
    """
    until = to_micros(now + HORIZON)
    ends = {}
    for amount in () if view.book.is_blocked else amounts:
        twin = settled(view.book, view.at)
        top_up(twin, view.at, amount)
        end = runway(twin, until) if may_fall_short(twin, until) else None
        if end is None or not _is_of_unpaid(end, twin):
            ends[amount] = to_datetime(end.ends_at) if end else None
    return ends if any(ends.values()) else {}


def _is_of_unpaid(end: Runway, book: Book) -> bool:
    unpaid = {sub.id for sub in book.subs if sub.status is Status.PAST_DUE}
    return unpaid.issuperset(sub.id for sub in end.subs)


def _grace_end(sub: Sub) -> datetime | None:
    return to_datetime(sub.grace_end) if sub.status is Status.PAST_DUE and sub.grace_end is not None else None
