"""R5: a change of the plan or of the number, on a book that is settled to `at`. Refused means that nothing changed."""

from datetime import datetime
from fractions import Fraction
from math import ceil, floor

from tests.subscriptions.engine.model.calendar import share
from tests.subscriptions.engine.model.grace import charge_grace
from tests.subscriptions.engine.model.limits import check_limits
from tests.subscriptions.engine.model.metering import carry_credit, pays
from tests.subscriptions.engine.model.operations import take_unused
from tests.subscriptions.engine.model.proof import serve_period
from tests.subscriptions.engine.model.starting import revive, start, tries
from tests.subscriptions.engine.model.state import FINAL, Book, Plan, Refused, Sub, costs, due, is_in_period, turn
from tests.subscriptions.engine.model.wallet import money_in, move


def change_plan(book: Book, at: datetime, sub: Sub, plan: Plan, when: str) -> None:
    if sub["status"] in FINAL or sub["status"] == "paused":
        raise Refused
    if plan["code"] == sub["plan"]["code"]:
        sub.update(scheduled_plan=None, scheduled_quantity=None)
        return
    if when == "period_end" and is_in_period(sub):
        check_limits(plan, sub["scheduled_quantity"] or sub["quantity"], sub["periods"], sub["end"])
        sub["scheduled_plan"] = plan
        return
    check_limits(plan, sub["quantity"], sub["periods"], at)
    match sub["status"]:
        case "pending" | "suspended" | "past_due":
            change_stopped(book, at, sub, plan, sub["quantity"])
        case "trialing":
            change_trial(book, at, sub, plan)
        case "active" if sub["plan"]["metered"] and plan["metered"]:
            change_meter(book, at, sub, plan)
        case "active":
            change_and_pay(book, at, sub, plan)


def change_quantity(book: Book, at: datetime, sub: Sub, quantity: int, when: str) -> None:
    if sub["status"] in FINAL or sub["status"] == "paused":
        raise Refused
    if quantity == sub["quantity"]:
        sub.update(scheduled_plan=None, scheduled_quantity=None)
        return
    if when == "period_end" and is_in_period(sub):
        check_limits(sub["scheduled_plan"] or sub["plan"], quantity, sub["periods"], sub["end"])
        sub["scheduled_quantity"] = quantity
        return
    check_limits(sub["plan"], quantity, sub["periods"], at)
    if sub["status"] in ("pending", "suspended", "past_due"):
        change_stopped(book, at, sub, sub["plan"], quantity)
        return
    if sub["status"] == "trialing" and quantity > sub["plan"]["trial_quantity_max"]:
        raise Refused
    # Unlike a change of plan it leaves a cancel request: the period and its end stay.
    sub.update(scheduled_plan=None, scheduled_quantity=None)
    if is_in_period(sub):
        move_difference(book, at, sub, quantity)
    else:
        sub["quantity"] = quantity


def switch(sub: Sub, plan: Plan, quantity: int) -> None:
    """Replace plan and number at once; a request to cancel and what was scheduled are dropped."""
    if plan["code"] != sub["plan"]["code"]:
        carry_credit(sub, plan)
    sub.update(plan=plan, quantity=quantity, cancel=False, scheduled_plan=None, scheduled_quantity=None)


def start_or_refuse(book: Book, at: datetime, sub: Sub) -> None:
    if not start(book, sub, at):
        raise Refused


def change_stopped(book: Book, at: datetime, sub: Sub, plan: Plan, quantity: int) -> None:
    """Change what waits for money. An order does not start; what is past due must be able to."""
    if sub["status"] == "past_due":
        charge_grace(book, sub, at)
        switch(sub, plan, quantity)
        start_or_refuse(book, at, sub)
        return
    switch(sub, plan, quantity)
    turn(sub, sub["status"], at)
    if sub["status"] == "suspended":
        start(book, sub, at)


def change_trial(book: Book, at: datetime, sub: Sub, plan: Plan) -> None:
    """The trial goes on if the new plan gives trials; else it ends here."""
    switch(sub, plan, sub["quantity"])
    if not tries(plan, sub["quantity"]):
        start_or_refuse(book, at, sub)


def change_meter(book: Book, at: datetime, sub: Sub, plan: Plan) -> None:
    """Change the rate. What was free before must find money for its start."""
    was_free = not costs(sub["plan"])
    switch(sub, plan, sub["quantity"])
    if was_free:
        start_or_refuse(book, at, sub)


def change_and_pay(book: Book, at: datetime, sub: Sub, plan: Plan) -> None:
    """Give back unused time, start the new plan and revive other subscriptions; or refuse everything."""
    refund = 0 if sub["plan"]["metered"] else take_unused(sub, at)
    switch(sub, plan, sub["quantity"])
    money_in(book, at, "unused_refund", refund, sub)
    start_or_refuse(book, at, sub)
    if refund:
        revive(book, at)


def move_difference(book: Book, at: datetime, sub: Sub, quantity: int) -> None:
    """Change the number inside a paid period: one difference moves, the period stays."""
    serve_period(sub, at)
    sub["quantity"] = quantity
    left = share(sub["end"] - at, sub["end"] - sub["start"])
    exact: Fraction = (due(sub) - sub["paid"]) * left
    cost = ceil(exact) if exact > 0 else -floor(-exact)
    if cost > 0 and not pays(book, cost):
        raise Refused
    sub["paid"] = due(sub)
    sub["net"] += cost
    sub["roundings"] += 1
    if cost > 0:
        move(book, at, "charge", -cost, sub)
    if cost < 0:
        money_in(book, at, "unused_refund", -cost, sub)
        revive(book, at)
