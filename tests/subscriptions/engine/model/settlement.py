"""R1 and R3: settle a book up to an instant, and cross its boundaries."""

from datetime import datetime, timedelta

from tests.subscriptions.engine.model.grace import charge_grace, grace
from tests.subscriptions.engine.model.metering import accrue, carry_credit, drop_credit, pays, write_slice
from tests.subscriptions.engine.model.proof import serve_period
from tests.subscriptions.engine.model.starting import next_period, start
from tests.subscriptions.engine.model.state import Book, Sub, boundary, due, runs, turn


def settle(book: Book, to: datetime) -> None:
    """Cross every boundary up to and including `to`, in time order; of simultaneous ones the oldest first."""
    to = max(to, book["at"])
    while True:
        crossings = [(at, age) for age, sub in enumerate(book["subs"]) if (at := boundary(book, sub)) is not None]
        at, age = min(crossings, default=(to, -1))
        if at > to:
            at, age = to, -1
        # A meter that stops on the way has a boundary of its own, which may be the next.
        if not accrue(book, at):
            continue
        if age == -1:
            break
        cross(book, book["subs"][age], at)
    for sub in book["subs"]:
        if runs(sub):
            write_slice(book, sub, to)


def cross(book: Book, sub: Sub, at: datetime) -> None:
    """R3: cross a boundary."""
    if sub["status"] in ("pending", "suspended"):
        drop_credit(sub)
        turn(sub, "expired", at)
    elif sub["status"] == "past_due":
        charge_grace(book, sub, at)
        turn(sub, "suspended", at)
    elif sub["status"] == "trialing":
        if sub["cancel"]:
            turn(sub, "cancelled", at)
        elif not start(book, sub, at):
            turn(sub, "suspended", at)
    else:
        end_period(book, sub, at)


def end_period(book: Book, sub: Sub, at: datetime) -> None:
    serve_period(sub, at)
    if sub["cancel"]:
        turn(sub, "cancelled", at)
    elif not sub["auto_renew"]:
        turn(sub, "expired", at)
    else:
        renew(book, sub, at)


def renew(book: Book, sub: Sub, at: datetime) -> None:
    """Begin the next period, with the number and the plan that were scheduled for it."""
    sub["quantity"] = sub["scheduled_quantity"] or sub["quantity"]
    plan = sub["scheduled_plan"]
    sub.update(scheduled_plan=None, scheduled_quantity=None)
    if plan:
        carry_credit(sub, plan)
        sub["plan"] = plan
        if not start(book, sub, at):
            turn(sub, "suspended", at)
    elif pays(book, due(sub)):
        next_period(book, sub, at)
    elif (length := grace(book, sub)) > timedelta(0):
        sub["grace_end"] = at + length
        turn(sub, "past_due", at)
    else:
        turn(sub, "suspended", at)
