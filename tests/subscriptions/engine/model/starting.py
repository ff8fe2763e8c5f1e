"""R4: start a subscription, begin its next period, and revive a book when money came."""

from datetime import datetime, timedelta

from tests.subscriptions.engine.model.metering import first_units, pays
from tests.subscriptions.engine.model.state import Book, Plan, Sub, due, period_end, turn
from tests.subscriptions.engine.model.wallet import move


def tries(plan: Plan, quantity: int) -> bool:
    """Tell whether a plan gives trials for a number."""
    return bool(plan["trial_days"] > 0 and quantity <= plan["trial_quantity_max"])


def begins_with_trial(book: Book, sub: Sub) -> bool:
    is_new = sub["status"] == "pending" and sub["plan"]["code"] not in book["trials"]
    return is_new and not book["debt"] and tries(sub["plan"], sub["quantity"])


def start(book: Book, sub: Sub, at: datetime) -> bool:
    """Start at `at` if it is funded and return True; else return False and change nothing."""
    if begins_with_trial(book, sub):
        book["trials"].add(sub["plan"]["code"])
        sub["trial_end"] = at + timedelta(days=sub["plan"]["trial_days"])
        turn(sub, "trialing", at)
        return True
    if not pays(book, first_units(sub) if sub["plan"]["metered"] else due(sub), sub):
        return False
    if sub["plan"]["metered"]:
        sub["billed_until"] = at
        turn(sub, "active", at)
    else:
        sub["anchor"], sub["number"], sub["end"] = at, 0, at
        next_period(book, sub, at)
    return True


def next_period(book: Book, sub: Sub, paid_at: datetime) -> None:
    """Pay the next period: from the current end to the next end counted from the anchor."""
    assert sub["end"] <= paid_at, "no period begins in the future"
    sub["number"] += 1
    sub["start"], sub["end"] = sub["end"], period_end(sub, sub["number"])
    assert sub["end"] > paid_at, "no period is paid after it ended"
    sub.update(paid=due(sub), net=due(sub), served_until=sub["start"], grace_end=None)
    move(book, paid_at, "charge", -sub["paid"], sub)
    turn(sub, "active", paid_at)


def revive(book: Book, at: datetime) -> None:
    """Try to start everything that ran out of money, the oldest first. Orders are left alone."""
    for sub in book["subs"]:
        if sub["status"] == "past_due":
            if pays(book, due(sub)):
                next_period(book, sub, at)
        elif sub["status"] == "suspended":
            start(book, sub, at)
