"""R2: metered use, where each unit is paid when its use begins."""

from datetime import datetime, timedelta
from fractions import Fraction
from math import ceil

from tests.subscriptions.engine.model.calendar import MICROSECOND
from tests.subscriptions.engine.model.state import Book, Plan, Sub, costs, in_steps, rate, runs, steps_of, turn
from tests.subscriptions.engine.model.wallet import write


def units(sub: Sub, span: timedelta) -> int:
    """Return how many more units must be paid for a span that begins where the last paid slice ends."""
    return max(0, ceil(rate(sub) * (span // MICROSECOND) - sub["credit"]))


def first_units(sub: Sub) -> int:
    """Return the units that the next microsecond needs."""
    return units(sub, MICROSECOND) if costs(sub["plan"]) else 0


def due_now(book: Book, beside: Sub | None = None) -> int:
    """Return the units that running meters need for the microsecond that begins now."""
    return sum(first_units(sub) for sub in book["subs"] if runs(sub) and sub is not beside)


def pays(book: Book, amount: int, sub: Sub | None = None) -> bool:
    """Tell whether the wallet can pay `amount` for `sub` beside what is due now. Zero can always be paid."""
    return amount == 0 or book["balance"] >= amount + due_now(book, beside=sub)


def accrue(book: Book, to: datetime) -> bool:
    """Pay running meters up to `to` and return True; or up to where money ends, stop some and return False."""
    running = [sub for sub in book["subs"] if runs(sub)]
    assert to >= book["at"], "time never goes back"
    assert all(sub["billed_until"] == book["at"] for sub in running)
    span = to - book["at"]
    dry = not fits(book, running, span)
    if dry:
        span = last_that_fits(book, running, span)
    for sub in running:
        pay(book, sub, span)
    book["at"] += span
    if dry:
        stop(book, running, book["at"])
    return not dry


def fits(book: Book, running: list[Sub], span: timedelta) -> bool:
    needed: int = sum(units(sub, span) for sub in running)
    return needed <= book["balance"]


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


def pay(book: Book, sub: Sub, span: timedelta) -> None:
    """Pay the units of a span; the row is written later, one for all spans between two settles."""
    needed, used = units(sub, span), rate(sub) * (span // MICROSECOND)
    sub["credit"] += needed - used
    assert 0 <= sub["credit"] < 1
    sub["billed_until"] += span
    sub["charged"] += needed
    sub["unwritten"] += needed
    book["balance"] -= needed
    sub["served"] += used


def stop(book: Book, running: list[Sub], at: datetime) -> None:
    """The wallet cannot pay everybody's next microsecond: ask the oldest first, suspend who finds no money."""
    left = book["balance"]
    for sub in running:
        if first_units(sub) <= left:
            left -= first_units(sub)
        else:
            write_slice(book, sub, at)
            turn(sub, "suspended", at)


def write_slice(book: Book, sub: Sub, at: datetime) -> None:
    write(book, at, "charge", -sub["unwritten"], sub)
    sub["unwritten"] = 0


def carry_credit(sub: Sub, plan: Plan) -> None:
    """Keep the credit for another meter, rounded down to its parts of a unit; else it is gone."""
    if sub["credit"]:
        sub["credit"] = in_steps(sub["credit"], steps_of(plan)) if costs(plan) else Fraction(0)
        sub["roundings"] += 1


def drop_credit(sub: Sub) -> None:
    """A use ends for good: a unit that was begun is paid."""
    if sub["credit"]:
        sub["credit"] = Fraction(0)
        sub["roundings"] += 1
