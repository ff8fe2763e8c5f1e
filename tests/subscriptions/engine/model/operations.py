"""R4 and R5: the operations on a book that is settled to `at`. Refused means that nothing changed."""

from datetime import datetime
from math import floor
from typing import Any

from tests.subscriptions.engine.model.calendar import MICROSECOND, later, share
from tests.subscriptions.engine.model.leftover import backing, drop, pick_up, unspent, used
from tests.subscriptions.engine.model.settlement import revive, start
from tests.subscriptions.engine.model.state import (
    FINAL,
    LIVE,
    Book,
    Refused,
    Sub,
    costs,
    due,
    in_steps,
    interval_length,
    post,
    turn,
)


def top_up(book: Book, at: datetime, amount: int) -> None:
    post(book, at, "top_up", amount)
    revive(book, at)


def withdraw(book: Book, at: datetime, amount: int) -> None:
    if amount > unspent(book):
        raise Refused
    post(book, at, "refund", -amount)


def subscribe(book: Book, at: datetime, sub: Sub) -> None:
    book["subs"].append(sub)
    start(book, sub, at)


def change_plan(
    book: Book, at: datetime, sub: Sub, plan: dict[str, Any], when: str, effective_at: datetime | None = None
) -> None:
    if sub["status"] in FINAL or sub["status"] == "paused" or sub["paid_until"]:
        raise Refused
    if when == "period_end" and sub["status"] == "active" and not sub["plan"]["metered"]:
        sub["scheduled"] = None if plan == sub["plan"] else plan
        return
    if sub["status"] == "active" and not sub["plan"]["metered"] and effective_at and at < effective_at < sub["end"]:
        agree(book, at, sub, plan, effective_at)
        return
    if sub["status"] == "active" and not (sub["plan"]["metered"] and plan["metered"]):
        change_and_pay(book, at, sub, plan)
        return
    if sub["status"] == "past_due":
        turn(sub, "suspended", at)
    was_free = sub["status"] == "active" and not costs(sub["plan"])
    if was_free and costs(plan) and book["balance"] < backing(book, sub, plan):
        raise Refused
    switch(book, sub, at, plan)
    if was_free and costs(plan):
        pick_up(book, sub, at)
    if sub["status"] in ("pending", "suspended"):
        start(book, sub, at)


def switch(book: Book, sub: Sub, at: datetime, plan: dict[str, Any]) -> None:
    """Replace the plan; carry a fraction to another meter, rounded down to its units."""
    if costs(plan):
        sub["fraction"] = in_steps(sub["fraction"], interval_length(plan) // MICROSECOND)
    else:
        drop(book, sub, at)
    sub.update(plan=plan, cancel=False, scheduled=None)


def change_and_pay(book: Book, at: datetime, sub: Sub, plan: dict[str, Any]) -> None:
    """Refund unused time, start the new plan and revive other subscriptions; or refuse and undo everything."""
    refund = unused(sub, at)
    before = {**sub, "spans": [list(span) for span in sub["spans"]]}, book["balance"], len(book["rows"])
    left_over = book["left_over"]
    switch(book, sub, at, plan)
    post(book, at, "unused_refund", refund, sub)
    if not start(book, sub, at):
        sub.update(before[0])
        book["balance"], book["left_over"] = before[1], left_over
        del book["rows"][before[2] :]
        raise Refused
    if refund:
        revive(book, at)


def agree(book: Book, at: datetime, sub: Sub, plan: dict[str, Any], then: datetime) -> None:
    """Pay now for a change at `then`; the old plan runs until then."""
    refund = unused(sub, then)
    new = {**sub, "plan": plan}
    cost = 0 if plan["metered"] else due(new)
    funds = book["balance"] + refund
    if funds < (backing(book, sub, plan) if plan["metered"] else (cost and cost + used(book, book["subs"]))):
        raise Refused
    post(book, at, "unused_refund", refund, sub)
    post(book, at, "charge", -cost, sub)
    # The paid amount is not reduced with the period: no operation uses it before `then`.
    paid_until = then if plan["metered"] else later(then, plan["interval"], plan["interval_count"] * sub["periods"])
    sub.update(end=then, scheduled=plan, cancel=False, paid_until=paid_until)
    if refund:
        revive(book, at)


def unused(sub: Sub, at: datetime) -> int:
    """Return the value of the unused time of the running or paused period."""
    if sub["plan"]["metered"]:
        return 0
    left = sub["left"] if sub["status"] == "paused" else sub["end"] - at
    paid: int = sub["paid"]
    return floor(paid * share(left, sub["end"] - sub["start"]))


def pause(book: Book, at: datetime, sub: Sub) -> None:
    if sub["status"] != "active" or sub["paid_until"]:
        raise Refused
    if not sub["plan"]["metered"]:
        sub["left"] = sub["end"] - at
    turn(sub, "paused", at)


def resume(book: Book, at: datetime, sub: Sub) -> None:
    if sub["status"] != "paused":
        raise Refused
    if sub["plan"]["metered"]:
        if not start(book, sub, at):
            turn(sub, "suspended", at)
        return
    # The whole period moves and keeps its length; later periods are counted from its end.
    moved = at + sub["left"] - sub["end"]
    sub["start"] += moved
    sub["end"] += moved
    sub.update(left=None, anchor=sub["end"], number=0)
    turn(sub, "active", at)


def cancel(book: Book, at: datetime, sub: Sub, when: str | None, refund_unused: bool) -> None:
    if sub["status"] in FINAL or sub["paid_until"]:
        raise Refused
    has_an_end = sub["status"] == "trialing" or (sub["status"] == "active" and not sub["plan"]["metered"])
    if has_an_end and when != "now":
        sub["cancel"] = True
        return
    refund = unused(sub, at) if refund_unused and sub["status"] in ("active", "paused") else 0
    drop(book, sub, at)
    turn(sub, "cancelled", at)
    post(book, at, "unused_refund", refund, sub)
    if refund:
        revive(book, at)


def undo_cancel(book: Book, at: datetime, sub: Sub) -> None:
    if sub["status"] not in LIVE or not sub["cancel"]:
        raise Refused
    sub["cancel"] = False
