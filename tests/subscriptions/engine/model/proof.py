"""What was served, exactly, so that tests can prove that nothing is served unpaid and hardly more is charged.

An advance period is served evenly over its length. What a customer gives up (a cancel without refund) counts as served.
"""

from datetime import datetime
from fractions import Fraction
from typing import Any

from tests.subscriptions.engine.model.calendar import share
from tests.subscriptions.engine.model.state import Book, Sub


def note_served(sub: Sub, amount: Fraction) -> None:
    """Note service that is charged with rounding."""
    sub["served"] += amount
    sub["roundings"] += 1


def serve_period(sub: Sub, at: datetime) -> None:
    """Note the part of the paid period that was served since the last time, up to `at`."""
    sub["served"] += sub["paid"] * share(at - sub["served_until"], sub["end"] - sub["start"])
    sub["served_until"] = at


def give_up_period(sub: Sub) -> None:
    """Note the rest of a paid period that does not come back."""
    sub["served"] += still_to_come(sub)


def still_to_come(sub: Sub) -> Fraction:
    """Return the value of what is paid and not served: the rest of the period, or the credit of a meter."""
    if sub["plan"]["metered"]:
        credit: Fraction = sub["credit"]
        return credit
    if sub["status"] == "paused":
        return sub["paid"] * share(sub["left"], sub["end"] - sub["start"])
    if sub["status"] == "active":
        return sub["paid"] * share(sub["end"] - sub["served_until"], sub["end"] - sub["start"])
    return Fraction(0)


def overcharged(sub: Sub) -> Fraction:
    """Return what was charged beyond what was served or is still to come: what rounding has cost."""
    charged: Fraction = Fraction(sub["charged"])
    return charged - sub["served"] - still_to_come(sub)


def money_adds_up(book: Book) -> bool:
    """Tell whether what came in is the balance less the debt, and what was charged."""
    charged: Any = sum(sub["charged"] for sub in book["subs"])
    return bool(book["paid_in"] == book["balance"] - book["debt"] + charged)
