"""When the balance falls below what a customer wants to keep, and how much makes it last: for automatic top-ups."""

from datetime import datetime, timedelta

from subscriptions.engine import reserve
from subscriptions.engine.calendar import to_datetime, to_micros
from subscriptions.engine.runway import runway
from subscriptions.overview import View


def falls_below(view: View, threshold: int, *, until: datetime) -> datetime | None:
    """Return the first instant by `until` at which less than `threshold` (minor units) can be spent, None if never."""
    found = reserve.falls_below(view.book, threshold, to_micros(until))
    return None if found is None else to_datetime(found)


def runs_out(view: View, *, until: datetime) -> datetime | None:
    """Return when something cannot be paid if no money comes in, None if everything is paid up to `until`."""
    end = runway(view.book, to_micros(until))
    return to_datetime(end.ends_at) if end else None


def enough_for(view: View, span: timedelta) -> int:
    """Return a payment now, in minor units, with which everything is paid for so long; 0 if it is without."""
    return reserve.enough_until(view.book, to_micros(to_datetime(view.at) + span))
