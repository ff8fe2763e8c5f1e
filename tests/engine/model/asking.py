"""R4 and R5: what a customer may ask at `at`, to which the book is settled already. Refused changes nothing."""

from datetime import datetime
from fractions import Fraction
from math import floor
from typing import Any

from tests.engine.model.calendar import MICROSECOND, share
from tests.engine.model.settling import revive, start
from tests.engine.model.state import FINAL, LIVE, Book, Refused, Sub, interval_length, post, turn


def top_up(book: Book, at: datetime, amount: int) -> None:
    post(book, at, "top_up", amount)
    revive(book, at)


def withdraw(book: Book, at: datetime, amount: int) -> None:
    if amount > book["balance"]:
        raise Refused
    post(book, at, "refund", -amount)


def subscribe(book: Book, at: datetime, sub: Sub) -> None:
    book["subs"].append(sub)
    start(book, sub, at)


def change_plan(book: Book, at: datetime, sub: Sub, plan: dict[str, Any], when: str) -> None:
    if sub["status"] in FINAL or sub["status"] == "paused":
        raise Refused
    if when == "period_end" and sub["status"] == "active" and not sub["plan"]["metered"]:
        sub["scheduled"] = plan
        return
    if sub["status"] == "active" and not (sub["plan"]["metered"] and plan["metered"]):
        change_and_pay(book, at, sub, plan)
        return
    if sub["status"] == "past_due":
        turn(sub, "suspended", at)
    switch(sub, plan)
    if sub["status"] in ("pending", "suspended"):
        start(book, sub, at)


def switch(sub: Sub, plan: dict[str, Any]) -> None:
    """Take the new price; a fraction goes along from one meter to another, cut to what the new one can count."""
    fraction = Fraction(0)
    if sub["plan"]["metered"] and plan["metered"]:
        steps = interval_length(plan) // MICROSECOND
        fraction = Fraction(floor(sub["fraction"] * steps), steps)
    sub.update(plan=plan, fraction=fraction, cancel=False, scheduled=None)


def change_and_pay(book: Book, at: datetime, sub: Sub, plan: dict[str, Any]) -> None:
    """Give back what is unused, start the new price, wake the rest; or refuse the whole."""
    refund = unused(sub, at)
    before = {**sub, "spans": [list(span) for span in sub["spans"]]}, book["balance"], len(book["rows"])
    switch(sub, plan)
    post(book, at, "unused_refund", refund, sub)
    if not start(book, sub, at):
        sub.update(before[0])
        book["balance"] = before[1]
        del book["rows"][before[2] :]
        raise Refused
    if refund:
        revive(book, at)


def unused(sub: Sub, at: datetime) -> int:
    """Return what the unused part of the running or paused period is worth."""
    if sub["plan"]["metered"]:
        return 0
    left = sub["left"] if sub["status"] == "paused" else sub["end"] - at
    paid: int = sub["paid"]
    return floor(paid * share(left, sub["end"] - sub["start"]))


def pause(book: Book, at: datetime, sub: Sub) -> None:
    if sub["status"] != "active":
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
    # The whole period moves, so that it keeps its length; from now on periods are counted from its end.
    moved = at + sub["left"] - sub["end"]
    sub["start"] += moved
    sub["end"] += moved
    sub.update(left=None, anchor=sub["end"], number=0)
    turn(sub, "active", at)


def cancel(book: Book, at: datetime, sub: Sub, when: str | None, refund_unused: bool) -> None:
    if sub["status"] in FINAL:
        raise Refused
    has_an_end = sub["status"] == "trialing" or (sub["status"] == "active" and not sub["plan"]["metered"])
    if has_an_end and when != "now":
        sub["cancel"] = True
        return
    refund = unused(sub, at) if refund_unused and sub["status"] in ("active", "paused") else 0
    turn(sub, "cancelled", at)
    post(book, at, "unused_refund", refund, sub)
    if refund:
        revive(book, at)


def undo_cancel(book: Book, at: datetime, sub: Sub) -> None:
    if sub["status"] not in LIVE or not sub["cancel"]:
        raise Refused
    sub["cancel"] = False
