"""R3: how long grace is, and what it costs when no payment follows."""

from datetime import datetime, timedelta
from math import ceil

from tests.subscriptions.engine.model.calendar import MICROSECOND, share
from tests.subscriptions.engine.model.proof import note_served
from tests.subscriptions.engine.model.state import Book, Sub, due, period_end
from tests.subscriptions.engine.model.wallet import charge_or_owe


def unpaid_length(sub: Sub) -> timedelta:
    """Return the length of the period that follows the one that ended."""
    end: datetime = sub["end"]
    return period_end(sub, sub["number"] + 1) - end


def grace(book: Book, sub: Sub) -> timedelta:
    """Return how long the subscription goes on without money: nobody gets more on trust than he just paid for."""
    if book["debt"]:
        return timedelta(0)
    allowed = timedelta(days=sub["plan"]["grace_days"])
    in_micros = unpaid_length(sub) // MICROSECOND * min(sub["net"], due(sub)) // due(sub)
    return min(allowed, in_micros * MICROSECOND)


def grace_cost(sub: Sub, at: datetime) -> int:
    """Return the cost of the grace served from the end of the paid period to `at`."""
    return ceil(due(sub) * share(at - sub["end"], unpaid_length(sub)))


def charge_grace(book: Book, sub: Sub, at: datetime) -> None:
    note_served(sub, due(sub) * share(at - sub["end"], unpaid_length(sub)))
    charge_or_owe(book, at, grace_cost(sub, at), sub)
    sub["grace_end"] = None


def grace_so_far(book: Book, at: datetime) -> int:
    """Return the cost of all grace that is being served."""
    return sum(grace_cost(sub, at) for sub in book["subs"] if sub["status"] == "past_due")
