"""R1 to R4: time passes, boundaries are crossed, subscriptions start and revive."""

from datetime import datetime, timedelta
from fractions import Fraction
from math import floor
from typing import Any

from tests.engine.model.calendar import MICROSECOND
from tests.engine.model.state import (
    Book,
    Sub,
    boundary,
    costs,
    due,
    in_steps,
    interval_length,
    period_end,
    post,
    price,
    rate,
    turn,
)

# So finely is a fraction counted that waits for another meter: a week's microseconds.
WEEK = timedelta(weeks=1) // MICROSECOND


def settle(book: Book, to: datetime) -> None:
    """R1: cross every boundary up to and with `to`, in time order, at one instant the oldest subscription first."""
    while True:
        crossings = [(at, age) for age, sub in enumerate(book["subs"]) if (at := boundary(sub)) is not None]
        if not crossings or min(crossings)[0] > to:
            break
        at, age = min(crossings)
        meter(book, at)
        cross(book, book["subs"][age], at)
    meter(book, to)


def meter(book: Book, to: datetime) -> None:
    """R2: what runs by the meter is charged up to `to`, or up to where the wallet ran dry."""
    running = [s for s in book["subs"] if s["status"] == "active" and s["plan"]["metered"] and price(s) > 0]
    span = to - book["at"]
    if not span:
        return
    dry = not fits(book, running, span)
    if dry:
        span = last_that_fits(book, running, span)
    for sub in running:
        if not span:
            break
        used = sub["fraction"] + rate(sub) * (span // MICROSECOND)
        sub["fraction"] = used - floor(used)
        post(book, book["at"] + span, "charge", -floor(used), sub)
    if dry:
        for sub in running:
            turn(sub, "suspended", book["at"] + span)
    book["at"] = to


def fits(book: Book, running: list[Sub], span: timedelta) -> bool:
    balance: int = book["balance"]
    if not span:
        return True
    owed: int = sum(floor(sub["fraction"] + rate(sub) * (span // MICROSECOND)) for sub in running)
    return owed <= balance


def last_that_fits(book: Book, running: list[Sub], too_long: timedelta) -> timedelta:
    """Return the longest span, in whole microseconds, whose use the wallet can pay, by halving."""
    good, bad = timedelta(0), too_long
    while bad - good > MICROSECOND:
        middle = good + (bad - good) // 2 // MICROSECOND * MICROSECOND
        if fits(book, running, middle):
            good = middle
        else:
            bad = middle
    return good


def cross(book: Book, sub: Sub, at: datetime) -> None:
    """R3: what happens at a boundary."""
    if sub["status"] == "past_due":
        turn(sub, "suspended", at)
    elif sub["paid_until"]:
        begin_agreed(book, sub, at)
    elif sub["cancel"]:
        turn(sub, "cancelled", at)
    elif sub["status"] == "trialing":
        if not start(book, sub, at):
            turn(sub, "suspended", at)
    elif not sub["auto_renew"]:
        turn(sub, "expired", at)
    elif sub["scheduled"]:
        begin_scheduled(book, sub, at)
    elif book["balance"] >= due(sub):
        next_period(book, sub, at)
    elif sub["plan"]["grace_days"] > 0:
        sub["grace_end"] = at + timedelta(days=sub["plan"]["grace_days"])
        turn(sub, "past_due", at)
    else:
        turn(sub, "suspended", at)


def begin_scheduled(book: Book, sub: Sub, at: datetime) -> None:
    sub["plan"], sub["scheduled"] = sub["scheduled"], None
    if not start(book, sub, at):
        turn(sub, "suspended", at)


def begin_agreed(book: Book, sub: Sub, at: datetime) -> None:
    """Begin what was agreed on and paid for, whatever is asked for the period's end; a meter needs money as ever."""
    paid_until, sub["paid_until"] = sub["paid_until"], None
    if sub["scheduled"]["metered"]:
        begin_scheduled(book, sub, at)
        return
    sub.update(plan=sub["scheduled"], scheduled=None)
    sub.update(anchor=at, number=1, start=at, end=paid_until, paid=due(sub))


def next_period(book: Book, sub: Sub, paid_at: datetime) -> None:
    """Pay for the period after the current one: from its end to the anchor's next."""
    sub["number"] += 1
    sub["start"], sub["end"] = sub["end"], period_end(sub, sub["number"])
    sub["paid"] = due(sub)
    post(book, paid_at, "charge", -sub["paid"], sub)
    turn(sub, "active", paid_at)


def start(book: Book, sub: Sub, at: datetime) -> bool:
    """R4: start at `at` if it is funded; else say no and change nothing."""
    plan = sub["plan"]
    if sub["status"] == "pending" and plan["trial_days"] > 0 and plan["code"] not in book["trials"]:
        book["trials"].add(plan["code"])
        sub["trial_end"] = at + timedelta(days=plan["trial_days"])
        turn(sub, "trialing", at)
        return True
    if plan["metered"]:
        if book["balance"] < backing(book, sub, plan):
            return False
        if costs(plan):
            pick_up(book, sub)
        turn(sub, "active", at)
        return True
    if book["balance"] < due(sub):
        return False
    sub["anchor"], sub["number"], sub["end"] = at, 0, at
    next_period(book, sub, at)
    return True


def drop(book: Book, sub: Sub) -> None:
    """A meter stops counting for good: what it had of a minor unit waits for the next."""
    book["left_over"] += in_steps(sub["fraction"], WEEK)
    sub["fraction"] = Fraction(0)


def picked_up(book: Book, plan: dict[str, Any]) -> Fraction:
    return in_steps(book["left_over"], interval_length(plan) // MICROSECOND)


def pick_up(book: Book, sub: Sub) -> None:
    """A meter starts counting: what earlier ones left comes first."""
    fraction = picked_up(book, sub["plan"])
    sub["fraction"] += fraction
    book["left_over"] = in_steps(book["left_over"] - fraction, WEEK)


def backing(book: Book, sub: Sub, plan: dict[str, Any]) -> int:
    """What must be in the wallet for a meter to start: what is whole at once, and a unit for it and each other."""
    if not costs(plan):
        return 0
    others = [one for one in book["subs"] if one is not sub and one["status"] == "active" and costs(one["plan"])]
    return 1 + len(others) + floor(sub["fraction"] + picked_up(book, plan))


def revive(book: Book, at: datetime) -> None:
    """R4, money in: everything that waits for money has a try, the oldest first."""
    for sub in book["subs"]:
        if sub["status"] == "past_due":
            if book["balance"] >= due(sub):
                next_period(book, sub, at)
        elif sub["status"] in ("suspended", "pending"):
            start(book, sub, at)
