"""R2 and R4: what meters have counted of a minor unit and nobody has paid yet."""

from datetime import datetime, timedelta
from fractions import Fraction
from math import floor
from typing import Any

from tests.subscriptions.engine.model.calendar import MICROSECOND
from tests.subscriptions.engine.model.state import Book, Sub, costs, in_steps, interval_length, post

# So finely fractions of different meters are added up: a week's microseconds.
WEEK = timedelta(weeks=1) // MICROSECOND


def runs(sub: Sub) -> bool:
    return sub["status"] == "active" and costs(sub["plan"])


def drop(book: Book, sub: Sub, at: datetime) -> None:
    """A meter stops counting for good: what it had of a minor unit waits for the next, what is whole then is paid."""
    if not sub["fraction"]:
        return
    book["left_over"] += in_steps(sub["fraction"], WEEK)
    sub["fraction"] = Fraction(0)
    whole = min(floor(book["left_over"]), book["balance"])
    book["left_over"] -= whole
    post(book, at, "charge", -whole, sub)


def pick_up(book: Book, sub: Sub, at: datetime) -> None:
    """A meter starts counting: what earlier ones left comes first, and what is whole of that is paid."""
    taken = in_steps(book["left_over"], interval_length(sub["plan"]) // MICROSECOND)
    book["left_over"] = in_steps(book["left_over"] - taken, WEEK)
    whole = floor(sub["fraction"] + taken)
    sub["fraction"] += taken - whole
    post(book, at, "charge", -whole, sub)


def used(book: Book, subs: list[Sub]) -> int:
    """The whole minor units in what these subscriptions and the ended ones have used and not paid."""
    return floor(book["left_over"] + sum(in_steps(sub["fraction"], WEEK) for sub in subs))


def unspent(book: Book) -> int:
    """What the wallet holds besides what was used already: that much buys something else."""
    balance: int = book["balance"]
    return balance - used(book, book["subs"])


def pays(book: Book, amount: int) -> bool:
    """Whether the wallet pays for something else. What costs nothing is not held up by what is owed."""
    return amount == 0 or unspent(book) >= amount


def for_meters(book: Book) -> int:
    """What those that run may use up: not what those that do not run have used already."""
    balance: int = book["balance"]
    return balance - used(book, [sub for sub in book["subs"] if not runs(sub)])


def backing(book: Book, sub: Sub, plan: dict[str, Any]) -> int:
    """What a meter needs to start: a unit for it and each that runs, and what those that do not run have used."""
    if not costs(plan):
        return 0
    others = [one for one in book["subs"] if one is not sub and runs(one)]
    return 1 + len(others) + used(book, [one for one in book["subs"] if one is sub or not runs(one)])
