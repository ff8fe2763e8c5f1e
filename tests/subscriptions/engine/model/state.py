"""The state of one customer's book as plain dicts; how money moves, how a status turns, what a price comes to."""

from datetime import datetime, timedelta
from fractions import Fraction
from math import floor
from typing import Any

from tests.subscriptions.engine.model.calendar import MICROSECOND, later

LIVE = {"trialing", "active", "past_due"}
FINAL = {"cancelled", "expired"}

Sub = dict[str, Any]
Book = dict[str, Any]


class Refused(Exception):
    """The rules refuse what was asked; nothing happened."""


def new_book(customer: str, at: datetime) -> Book:
    return {
        "customer": customer, "balance": 0, "at": at, "subs": [], "trials": set(), "rows": [],
        # The fractions of a minor unit that meters had counted when they stopped for good.
        "left_over": Fraction(0),
    }  # fmt: skip


def new_sub(name: str, plan: dict[str, Any], quantity: int, periods: int, auto_renew: bool) -> Sub:
    return {
        "name": name, "plan": plan, "quantity": quantity, "periods": periods, "auto_renew": auto_renew,
        "status": "pending", "spans": [], "charged": 0,
        # Advance: which whole period from which anchor, when it runs, what it cost.
        "anchor": None, "number": 0, "start": None, "end": None, "paid": 0, "left": None,
        "trial_end": None, "grace_end": None, "cancel": False, "scheduled": None,
        # A change that was agreed: from "end" on the scheduled plan runs, paid for up to here.
        "paid_until": None,
        # Metered: the part of a minor unit that is used and not yet charged, 0 <= fraction < 1.
        "fraction": Fraction(0),
    }  # fmt: skip


def post(book: Book, at: datetime, reason: str, amount: int, sub: Sub | None = None) -> None:
    """Move money and write the row. Nothing moves: nothing is written."""
    assert book["balance"] + amount >= 0, "a wallet is never negative"
    if sub is not None:
        sub["charged"] -= amount
    if amount == 0:
        return
    book["balance"] += amount
    assert not book["rows"] or book["rows"][-1]["at"] <= at, "the time of a wallet's rows never goes back"
    name = sub and sub["name"]
    book["rows"].append(
        {"at": at, "reason": reason, "amount": amount, "balance": book["balance"], "subscription": name}
    )


def turn(sub: Sub, status: str, at: datetime) -> None:
    """Give a new status from `at` on, and keep the spans in which the subscription was live."""
    was, becomes = sub["status"] in LIVE, status in LIVE
    if was and not becomes:
        sub["spans"][-1][1] = at
    if becomes and not was:
        sub["spans"].append([at, None])
    sub["status"] = status


def price(sub: Sub) -> int:
    """What one interval costs."""
    cost: int = sub["plan"]["amount"] * sub["quantity"]
    return cost


def due(sub: Sub) -> int:
    """What one payment of an advance price costs."""
    cost: int = price(sub) * sub["periods"]
    return cost


def in_steps(amount: Fraction, steps: int) -> Fraction:
    """Cut a fraction to what so many steps of a minor unit can count."""
    return Fraction(floor(amount * steps), steps)


def costs(plan: dict[str, Any]) -> bool:
    """Whether it runs by the meter and the meter counts."""
    return bool(plan["metered"] and plan["amount"] > 0)


def interval_length(plan: dict[str, Any]) -> timedelta:
    """Return the length of a metered interval, which is fixed."""
    return timedelta(**{plan["interval"] + "s": plan["interval_count"]})


def rate(sub: Sub) -> Fraction:
    """Minor units in a microsecond."""
    return Fraction(price(sub), interval_length(sub["plan"]) // MICROSECOND)


def period_end(sub: Sub, number: int) -> datetime:
    """Return the end of period `number` (1, 2, ...), counted in whole intervals from the anchor."""
    return later(sub["anchor"], sub["plan"]["interval"], number * sub["plan"]["interval_count"] * sub["periods"])


def boundary(sub: Sub) -> datetime | None:
    """Return when something happens to the subscription by itself (R1)."""
    ends = {"trialing": "trial_end", "past_due": "grace_end"}
    if not sub["plan"]["metered"]:
        ends["active"] = "end"
    at: datetime | None = sub[ends[sub["status"]]] if sub["status"] in ends else None
    return at
