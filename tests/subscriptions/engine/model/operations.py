"""R4 and R5: money in and out, and the requests that are no changes, on a book that is settled to `at`.

Refused means that nothing changed: play.act() puts back what an operation has done before it found out.
"""

from datetime import datetime
from math import floor

from tests.subscriptions.engine.model.calendar import share
from tests.subscriptions.engine.model.grace import charge_grace, grace_so_far
from tests.subscriptions.engine.model.limits import check_limits
from tests.subscriptions.engine.model.metering import drop_credit, due_now
from tests.subscriptions.engine.model.proof import give_up_period, serve_period
from tests.subscriptions.engine.model.starting import begins_with_trial, revive, start
from tests.subscriptions.engine.model.state import FINAL, LIVE, WAITING, Book, Refused, Sub, is_in_period, turn
from tests.subscriptions.engine.model.wallet import lose, money_in, move


def top_up(book: Book, at: datetime, amount: int, paid_for: Sub | None = None) -> None:
    book["paid_in"] += amount
    money_in(book, at, "top_up", amount)
    if paid_for and paid_for["status"] in WAITING:
        start(book, paid_for, at)
    revive(book, at)


def withdraw(book: Book, at: datetime, amount: int) -> None:
    if book["balance"] < amount + due_now(book) + grace_so_far(book, at):
        raise Refused
    book["paid_in"] -= amount
    move(book, at, "refund", -amount)


def dispute_lost(book: Book, at: datetime, amount: int) -> None:
    """Take the money; then what is not paid any more is not served, the newest first."""
    book["paid_in"] -= amount
    lose(book, at, amount)
    for sub in reversed(book["subs"]):
        if not book["debt"]:
            break
        if sub["status"] == "past_due":
            charge_grace(book, sub, at)
            turn(sub, "suspended", at)
        elif is_in_period(sub):
            refund = take_unused(sub, at)
            turn(sub, "suspended", at)
            money_in(book, at, "unused_refund", refund, sub)
    if book["balance"]:
        revive(book, at)


def subscribe(book: Book, at: datetime, sub: Sub, checkout: bool) -> None:
    check_limits(sub["plan"], sub["quantity"], sub["periods"], at)
    turn(sub, "pending", at)
    book["subs"].append(sub)
    if not checkout or begins_with_trial(book, sub):
        start(book, sub, at)


def start_from_balance(book: Book, at: datetime, sub: Sub) -> None:
    if sub["status"] not in WAITING or not start(book, sub, at):
        raise Refused


def set_auto_renew(sub: Sub, value: bool) -> None:
    if sub["status"] in FINAL:
        raise Refused
    sub["auto_renew"] = value


def take_unused(sub: Sub, at: datetime) -> int:
    """End a running or paused period and return the value of its unused time."""
    if sub["status"] == "active":
        serve_period(sub, at)
    left = sub["left"] if sub["status"] == "paused" else sub["end"] - at
    sub["roundings"] += 1
    return floor(sub["paid"] * share(left, sub["end"] - sub["start"]))


def pause(at: datetime, sub: Sub) -> None:
    if sub["status"] != "active" or not sub["plan"]["can_pause"]:
        raise Refused
    if not sub["plan"]["metered"]:
        serve_period(sub, at)
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
    sub.update(left=None, anchor=sub["end"], number=0, served_until=at)
    turn(sub, "active", at)


def cancel(book: Book, at: datetime, sub: Sub, when: str | None, refund_unused: bool) -> None:
    if sub["status"] in FINAL:
        raise Refused
    if when != "now" and (sub["status"] == "trialing" or is_in_period(sub)):
        sub["cancel"] = True
        return
    has_rest = not sub["plan"]["metered"] and sub["status"] in ("active", "paused")
    may_refund = sub["plan"]["can_refund_unused"]
    if has_rest and refund_unused and not may_refund:
        raise Refused
    refund = 0
    if has_rest and may_refund and (refund_unused or sub["status"] == "paused"):
        refund = take_unused(sub, at)
    elif has_rest:
        give_up_period(sub)
    if sub["status"] == "past_due":
        charge_grace(book, sub, at)
    drop_credit(sub)
    turn(sub, "cancelled", at)
    money_in(book, at, "unused_refund", refund, sub)
    if refund:
        revive(book, at)


def undo_cancel(sub: Sub) -> None:
    if sub["status"] not in LIVE or not sub["cancel"]:
        raise Refused
    sub["cancel"] = False
