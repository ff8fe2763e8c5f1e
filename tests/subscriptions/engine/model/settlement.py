"""R1 to R4: settle, cross boundaries, start and revive."""

from datetime import datetime, timedelta
from math import floor

from tests.subscriptions.engine.model.calendar import MICROSECOND
from tests.subscriptions.engine.model.leftover import backing, for_meters, pays, pick_up, runs
from tests.subscriptions.engine.model.state import Book, Sub, boundary, costs, due, period_end, post, rate, turn


def settle(book: Book, to: datetime) -> None:
    """R1: cross every boundary up to and including `to`, in time order; of simultaneous ones the oldest first."""
    while True:
        crossings = [(at, age) for age, sub in enumerate(book["subs"]) if (at := boundary(sub)) is not None]
        if not crossings or min(crossings)[0] > to:
            break
        at, age = min(crossings)
        meter(book, at)
        cross(book, book["subs"][age], at)
    meter(book, to)


def meter(book: Book, to: datetime) -> None:
    """R2: charge the running meters up to `to`, or up to where the wallet runs dry."""
    running = [sub for sub in book["subs"] if runs(sub)]
    span = to - book["at"]
    if not span:
        return
    dry = not fits(book, running, span)
    if dry:
        span = last_that_fits(book, running, span)
    for sub in running:
        used = sub["fraction"] + rate(sub) * (span // MICROSECOND)
        sub["fraction"] = used - floor(used)
        post(book, book["at"] + span, "charge", -floor(used), sub)
    if dry:
        for sub in running:
            turn(sub, "suspended", book["at"] + span)
    book["at"] = to


def fits(book: Book, running: list[Sub], span: timedelta) -> bool:
    owed: int = sum(floor(sub["fraction"] + rate(sub) * (span // MICROSECOND)) for sub in running)
    return owed <= for_meters(book)


def last_that_fits(book: Book, running: list[Sub], too_long: timedelta) -> timedelta:
    """Return the longest span in whole microseconds that the wallet can pay, by bisection."""
    good, bad = timedelta(0), too_long
    while bad - good > MICROSECOND:
        middle = good + (bad - good) // 2 // MICROSECOND * MICROSECOND
        if fits(book, running, middle):
            good = middle
        else:
            bad = middle
    return good


def cross(book: Book, sub: Sub, at: datetime) -> None:
    """R3: cross a boundary."""
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
    elif pays(book, due(sub)):
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
    """Begin the agreed and paid period, also without auto-renew; a meter needs money like any start."""
    paid_until, sub["paid_until"] = sub["paid_until"], None
    if sub["scheduled"]["metered"]:
        begin_scheduled(book, sub, at)
        return
    sub.update(plan=sub["scheduled"], scheduled=None)
    sub.update(anchor=at, number=1, start=at, end=paid_until, paid=due(sub))


def next_period(book: Book, sub: Sub, paid_at: datetime) -> None:
    """Pay the next period: from the current end to the next end counted from the anchor."""
    sub["number"] += 1
    sub["start"], sub["end"] = sub["end"], period_end(sub, sub["number"])
    sub["paid"] = due(sub)
    post(book, paid_at, "charge", -sub["paid"], sub)
    turn(sub, "active", paid_at)


def start(book: Book, sub: Sub, at: datetime) -> bool:
    """R4: start at `at` if it is funded and return True; else return False and change nothing."""
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
            pick_up(book, sub, at)
        turn(sub, "active", at)
        return True
    if not pays(book, due(sub)):
        return False
    sub["anchor"], sub["number"], sub["end"] = at, 0, at
    next_period(book, sub, at)
    return True


def revive(book: Book, at: datetime) -> None:
    """R4: try to start every subscription that waits for money, the oldest first."""
    for sub in book["subs"]:
        if sub["status"] == "past_due":
            if pays(book, due(sub)):
                next_period(book, sub, at)
        elif sub["status"] in ("suspended", "pending"):
            start(book, sub, at)
