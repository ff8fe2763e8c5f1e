"""R2 and R4: fractions of a minor unit that were used and not charged yet."""

from datetime import datetime, timedelta
from fractions import Fraction
from math import floor
from typing import Any

from tests.subscriptions.engine.model.calendar import MICROSECOND
from tests.subscriptions.engine.model.state import Book, Sub, costs, in_steps, interval_length, post

# Fractions of different meters are added up in units of 1 / WEEK of a minor unit: a week in microseconds.
WEEK = timedelta(weeks=1) // MICROSECOND


def runs(sub: Sub) -> bool:
    return sub["status"] == "active" and costs(sub["plan"])


def drop(book: Book, sub: Sub, at: datetime) -> None:
    """End a meter: add its fraction to the book's leftover and charge the whole units in it."""
    if not sub["fraction"]:
        return
    book["left_over"] += in_steps(sub["fraction"], WEEK)
    sub["fraction"] = Fraction(0)
    whole = min(floor(book["left_over"]), book["balance"])
    book["left_over"] -= whole
    post(book, at, "charge", -whole, sub)


def pick_up(book: Book, sub: Sub, at: datetime) -> None:
    """Start a meter: give it the book's leftover and charge the whole units in it."""
    taken = in_steps(book["left_over"], interval_length(sub["plan"]) // MICROSECOND)
    book["left_over"] = in_steps(book["left_over"] - taken, WEEK)
    whole = floor(sub["fraction"] + taken)
    sub["fraction"] += taken - whole
    post(book, at, "charge", -whole, sub)


def used(book: Book, subs: list[Sub]) -> int:
    """Return the whole minor units that these subscriptions and ended ones have used and not paid."""
    return floor(book["left_over"] + sum(in_steps(sub["fraction"], WEEK) for sub in subs))


def unspent(book: Book) -> int:
    """Return the part of the balance that is not needed for carried fractions."""
    balance: int = book["balance"]
    return balance - used(book, book["subs"])


def pays(book: Book, amount: int) -> bool:
    """Tell whether the wallet can pay `amount` beside all carried fractions. Zero can always be paid."""
    return amount == 0 or unspent(book) >= amount


def for_meters(book: Book) -> int:
    """Return the balance available to running meters: without what stopped ones have used already."""
    balance: int = book["balance"]
    return balance - used(book, [sub for sub in book["subs"] if not runs(sub)])


def backing(book: Book, sub: Sub, plan: dict[str, Any]) -> int:
    """Return what a meter needs to start: a unit for it and each running one, and what stopped ones have used."""
    if not costs(plan):
        return 0
    running = [each for each in book["subs"] if each is not sub and runs(each)]
    return 1 + len(running) + used(book, [each for each in book["subs"] if each is sub or not runs(each)])
