"""The state of a customer's book as plain dicts; statuses, prices and boundaries."""

from datetime import datetime, timedelta
from fractions import Fraction
from math import floor
from typing import Any

from tests.subscriptions.engine.model.calendar import MICROSECOND, later

LIVE = {"trialing", "active", "past_due"}
WAITING = {"pending", "suspended"}
FINAL = {"cancelled", "expired"}

Plan = dict[str, Any]
Sub = dict[str, Any]
Book = dict[str, Any]


class Refused(Exception):
    """An operation was refused; nothing changed."""


def new_book(customer: str, at: datetime, order_days: int = 14) -> Book:
    return {
        "customer": customer, "balance": 0, "debt": 0, "at": at, "order_days": order_days,
        "subs": [], "trials": set(), "rows": [],
        # What came in from outside less what went out, for proofs.
        "paid_in": 0,
    }  # fmt: skip


def new_sub(name: str, plan: Plan, quantity: int, periods: int, auto_renew: bool) -> Sub:
    return {
        "name": name, "plan": plan, "quantity": quantity, "periods": periods, "auto_renew": auto_renew,
        "status": "pending", "spans": [], "history": [], "charged": 0,
        # Pending and suspended: since when.
        "waits_since": None,
        # Advance: the number of the period counted from the anchor, its start and end; what the whole period costs at
        # the present number, what was really paid for it, and what is left of it in a pause.
        "anchor": None, "number": 0, "start": None, "end": None, "paid": 0, "net": 0, "left": None,
        "trial_end": None, "grace_end": None, "cancel": False, "scheduled_plan": None, "scheduled_quantity": None,
        # Metered: the part of the last paid unit that is left, 0 <= credit < 1, and units that no row stands for yet.
        "billed_until": None, "credit": Fraction(0), "unwritten": 0,
        # For proofs (proof.py): what was served exactly, up to when, and how often an amount was rounded.
        "served": Fraction(0), "served_until": None, "roundings": 0,
    }  # fmt: skip


def turn(sub: Sub, status: str, at: datetime) -> None:
    """Set the status at `at`, and record it, and the spans in which the subscription was live."""
    was, becomes = sub["status"] in LIVE, status in LIVE
    if was and not becomes:
        sub["spans"][-1][1] = at
    if becomes and not was:
        sub["spans"].append([at, None])
    sub["status"] = status
    sub["history"].append((status, at))
    sub["waits_since"] = at if status in WAITING else None


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


def costs(plan: Plan) -> bool:
    """Tell whether the plan is metered and not free."""
    return bool(plan["metered"] and plan["amount"] > 0)


def runs(sub: Sub) -> bool:
    """Tell whether the subscription is a running meter that is not free."""
    return sub["status"] == "active" and costs(sub["plan"])


def is_in_period(sub: Sub) -> bool:
    """Tell whether a paid period of an advance price is running."""
    return sub["status"] == "active" and not sub["plan"]["metered"]


def steps_of(plan: Plan) -> int:
    """Return the microseconds of a metered interval: credit is counted in parts of a unit divided by this."""
    return timedelta(**{plan["interval"] + "s": plan["interval_count"]}) // MICROSECOND


def rate(sub: Sub) -> Fraction:
    """Return the minor units per microsecond."""
    return Fraction(price(sub), steps_of(sub["plan"]))


def period_end(sub: Sub, number: int) -> datetime:
    """Return the end of period `number` (1, 2, ...), counted from the anchor."""
    return later(sub["anchor"], sub["plan"]["interval"], number * sub["plan"]["interval_count"] * sub["periods"])


def boundary(book: Book, sub: Sub) -> datetime | None:
    """Return the subscription's next boundary (R1), None if it has none."""
    at: datetime | None = None
    match sub["status"]:
        case "trialing":
            at = sub["trial_end"]
        case "past_due":
            at = sub["grace_end"]
        case "active" if not sub["plan"]["metered"]:
            at = sub["end"]
        case "pending":
            at = sub["waits_since"] + timedelta(days=book["order_days"])
        case "suspended":
            at = sub["waits_since"] + timedelta(days=sub["plan"]["keep_days"])
    return at
