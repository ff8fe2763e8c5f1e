"""The state of a customer's book as plain dicts, and functions that move money, change a status and price a plan."""

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
    """An operation was refused; nothing changed."""


def new_book(customer: str, at: datetime) -> Book:
    return {
        "customer": customer, "balance": 0, "at": at, "subs": [], "trials": set(), "rows": [],
        # The fractions of a minor unit left by ended meters.
        "left_over": Fraction(0),
    }  # fmt: skip


def new_sub(name: str, plan: dict[str, Any], quantity: int, periods: int, auto_renew: bool) -> Sub:
    return {
        "name": name, "plan": plan, "quantity": quantity, "periods": periods, "auto_renew": auto_renew,
        "status": "pending", "spans": [], "charged": 0,
        # Advance: the number of the period counted from the anchor, its start and end, what it cost.
        "anchor": None, "number": 0, "start": None, "end": None, "paid": 0, "left": None,
        "trial_end": None, "grace_end": None, "cancel": False, "scheduled": None,
        # An agreed change: the scheduled plan starts at "end" and is paid up to here.
        "paid_until": None,
        # Metered: the fraction of a minor unit that was used and not charged, 0 <= fraction < 1.
        "fraction": Fraction(0),
    }  # fmt: skip


def post(book: Book, at: datetime, reason: str, amount: int, sub: Sub | None = None) -> None:
    """Move money and record it. An amount of zero records nothing."""
    assert book["balance"] + amount >= 0, "a wallet is never negative"
    if sub is not None:
        sub["charged"] -= amount
    if amount == 0:
        return
    book["balance"] += amount
    assert not book["rows"] or book["rows"][-1]["at"] <= at, "movements are in time order"
    name = sub and sub["name"]
    book["rows"].append(
        {"at": at, "reason": reason, "amount": amount, "balance": book["balance"], "subscription": name}
    )


def turn(sub: Sub, status: str, at: datetime) -> None:
    """Set the status at `at`, and record the spans in which the subscription was live."""
    was, becomes = sub["status"] in LIVE, status in LIVE
    if was and not becomes:
        sub["spans"][-1][1] = at
    if becomes and not was:
        sub["spans"].append([at, None])
    sub["status"] = status


def price(sub: Sub) -> int:
    """Return the cost of one interval."""
    cost: int = sub["plan"]["amount"] * sub["quantity"]
    return cost


def due(sub: Sub) -> int:
    """Return the cost of one payment of an advance price."""
    cost: int = price(sub) * sub["periods"]
    return cost


def in_steps(amount: Fraction, steps: int) -> Fraction:
    """Round down to a multiple of 1 / steps."""
    return Fraction(floor(amount * steps), steps)


def costs(plan: dict[str, Any]) -> bool:
    """Tell whether the plan is metered and not free."""
    return bool(plan["metered"] and plan["amount"] > 0)


def interval_length(plan: dict[str, Any]) -> timedelta:
    """Return the length of a metered interval."""
    return timedelta(**{plan["interval"] + "s": plan["interval_count"]})


def rate(sub: Sub) -> Fraction:
    """Return the minor units per microsecond."""
    return Fraction(price(sub), interval_length(sub["plan"]) // MICROSECOND)


def period_end(sub: Sub, number: int) -> datetime:
    """Return the end of period `number` (1, 2, ...), counted from the anchor."""
    return later(sub["anchor"], sub["plan"]["interval"], number * sub["plan"]["interval_count"] * sub["periods"])


def boundary(sub: Sub) -> datetime | None:
    """Return the subscription's next boundary (R1), None if it has none."""
    ends = {"trialing": "trial_end", "past_due": "grace_end"}
    if not sub["plan"]["metered"]:
        ends["active"] = "end"
    at: datetime | None = sub[ends[sub["status"]]] if sub["status"] in ends else None
    return at
