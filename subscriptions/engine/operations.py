"""The operations on a book: money in and out, subscribe, change plan, cancel, pause, resume.

Each settles the book first, then does the whole operation or returns a Refusal and changes nothing more.
"""

from enum import StrEnum

from subscriptions.engine import metering
from subscriptions.engine.book import (
    Book,
    Cause,
    charge,
    cut,
    record_event,
    record_movement,
    record_outside_movement,
    set_status,
)
from subscriptions.engine.calendar import plus
from subscriptions.engine.metering import affords
from subscriptions.engine.proration import give_back, stop_use, unused
from subscriptions.engine.settlement import can_start, finish, revive, settle, start, suspend, switch
from subscriptions.engine.subscription import FINAL, WAITING, Status, Sub, Terms


class Refusal(StrEnum):
    """Why an operation was refused. The book is settled, but otherwise unchanged."""

    FINAL = "subscription_is_final"
    PAUSED = "subscription_is_paused"
    NOT_ACTIVE = "subscription_is_not_active"
    NOT_PAUSED = "subscription_is_not_paused"
    NO_CANCEL_TO_UNDO = "no_cancel_to_undo"
    CHANGING = "plan_change_under_way"
    INSUFFICIENT_FUNDS = "insufficient_funds"


NO_CAUSE = Cause()


def top_up(
    book: Book, at: int, amount: int, *, cause: Cause = NO_CAUSE, reason: str = "top_up", first: Sub | None = None
) -> None:
    """Add money and revive the subscriptions that wait for it, `first` before the others: it was paid for."""
    settle(book, at)
    record_outside_movement(book, at, amount, reason, cause)
    revive(book, at, first)


def withdraw(book: Book, at: int, amount: int, *, cause: Cause = NO_CAUSE, reason: str = "refund") -> Refusal | None:
    """Take money out; refuse if the wallet cannot pay all of it."""
    settle(book, at)
    if not affords(book, amount):
        return Refusal.INSUFFICIENT_FUNDS
    record_outside_movement(book, at, -amount, reason, cause)
    return None


def subscribe(book: Book, at: int, sub: Sub, *, wait_for_money: bool = False) -> None:
    """Add a pending subscription and start it if possible. With `wait_for_money` (a checkout) leave it pending."""
    settle(book, at)
    book.subs.append(sub)
    record_event(book, sub, at, "subscription.created")
    if not wait_for_money:
        start(book, sub, at)


def cancel(book: Book, at: int, sub: Sub, *, when: str | None = None, refund_unused: bool = False) -> Refusal | None:
    """Cancel at the end of the period or trial if there is one, else at once; with `when="now"` always at once."""
    settle(book, at)
    if sub.status in FINAL:
        return Refusal.FINAL
    if sub.next_end is not None:
        return Refusal.CHANGING
    has_end = sub.status is Status.TRIALING or (sub.status is Status.ACTIVE and not sub.terms.metered)
    if has_end and when != "now":
        if not sub.cancel_requested:
            sub.cancel_requested = True
            record_event(book, sub, at, "subscription.cancel_requested")
        return None
    refunded = give_back(book, sub, at) if refund_unused else stop_use(book, sub, at)
    finish(book, sub, at, Status.CANCELLED, "subscription.cancelled")
    if refunded:
        revive(book, at)
    return None


def undo_cancel(book: Book, at: int, sub: Sub) -> Refusal | None:
    """Withdraw a cancel request while the subscription is still live."""
    settle(book, at)
    if not (sub.is_live and sub.cancel_requested):
        return Refusal.NO_CANCEL_TO_UNDO
    sub.cancel_requested = False
    record_event(book, sub, at, "subscription.cancel_undone")
    return None


def pause(book: Book, at: int, sub: Sub) -> Refusal | None:
    """Pause an active subscription: a meter stops, an advance period keeps its remaining time."""
    settle(book, at)
    if sub.status is not Status.ACTIVE:
        return Refusal.NOT_ACTIVE
    if sub.next_end is not None:
        return Refusal.CHANGING
    if sub.terms.metered:
        sub.billed_until = None
    else:
        assert sub.end is not None
        sub.left = sub.end - at
        cut(book, sub, at)
    set_status(book, sub, at, Status.PAUSED, "subscription.paused")
    return None


def resume(book: Book, at: int, sub: Sub) -> Refusal | None:
    """Resume: a meter starts anew; an advance period gets its remaining time and a new anchor at its new end."""
    settle(book, at)
    if sub.status is not Status.PAUSED:
        return Refusal.NOT_PAUSED
    if sub.terms.metered:
        if not start(book, sub, at, "subscription.resumed"):
            suspend(book, sub, at)
        return None
    assert sub.left is not None
    sub.start, sub.end, sub.left = at, at + sub.left, None
    sub.anchor, sub.number = sub.end, 0
    charge(book, sub, at, sub.start, sub.end, 0)
    set_status(book, sub, at, Status.ACTIVE, "subscription.resumed")
    return None


def set_auto_renew(book: Book, at: int, sub: Sub, value: bool) -> Refusal | None:
    """Turn automatic renewal on or off."""
    settle(book, at)
    if sub.status in FINAL:
        return Refusal.FINAL
    if sub.auto_renew != value:
        sub.auto_renew = value
        record_event(book, sub, at, "subscription.auto_renew_changed")
    return None


def change_plan(
    book: Book, at: int, sub: Sub, terms: Terms, *, when: str = "now", effective: int | None = None
) -> Refusal | None:
    """Change the terms now or at the period's end; refuse if the wallet cannot pay for the start.

    With `effective`, an instant within the running advance period, the money moves now and the terms change then.
    """
    settle(book, at)
    refusal = obstacle(sub)
    if refusal is not None:
        return refusal
    if sub.status in WAITING:
        change_waiting(book, at, sub, terms)
        return None
    if sub.status is Status.TRIALING or (sub.terms.metered and terms.metered):
        return change_in_place(book, at, sub, terms)
    if when == "period_end" and not sub.terms.metered:
        schedule(book, at, sub, terms)
        return None
    then = at if effective is None or not is_within(sub, at, effective) else effective
    if not can_start(book, sub, terms, coming=unused(sub, then)):
        return Refusal.INSUFFICIENT_FUNDS
    refunded = change_at_once(book, at, sub, terms) if then == at else agree(book, at, sub, terms, then)
    if refunded:
        revive(book, at)
    return None


def schedule(book: Book, at: int, sub: Sub, terms: Terms) -> None:
    """Schedule the change for the period's end; a change to the present terms drops the scheduled one."""
    if terms.id != sub.terms.id:
        sub.scheduled = terms
        record_event(book, sub, at, "subscription.plan_change_scheduled")
    elif sub.scheduled is not None:
        sub.scheduled = None
        record_event(book, sub, at, "subscription.plan_change_dropped")


def obstacle(sub: Sub) -> Refusal | None:
    """Return why the plan cannot change in this state, None if it can."""
    if sub.status in FINAL:
        return Refusal.FINAL
    if sub.status is Status.PAUSED:
        return Refusal.PAUSED
    return None if sub.next_end is None else Refusal.CHANGING


def is_within(sub: Sub, at: int, effective: int) -> bool:
    """Tell whether `effective` lies in the future within the paid period."""
    return not sub.terms.metered and sub.end is not None and at < effective < sub.end


def change_in_place(book: Book, at: int, sub: Sub, terms: Terms) -> Refusal | None:
    """Change the terms of a trial or a running meter without a restart. A free meter that now costs must be funded."""
    starts_to_cost = sub.status is Status.ACTIVE and sub.rate == 0 and terms.amount > 0
    if starts_to_cost and not can_start(book, sub, terms):
        return Refusal.INSUFFICIENT_FUNDS
    switch(book, sub, at, terms)
    if starts_to_cost:
        metering.take_up(book, sub, at)
    record_event(book, sub, at, "subscription.plan_changed")
    return None


def change_at_once(book: Book, at: int, sub: Sub, terms: Terms) -> bool:
    """Refund the unused time and start under the new terms; tell whether money was refunded."""
    refunded = give_back(book, sub, at)
    switch(book, sub, at, terms)
    started = start(book, sub, at, "subscription.plan_changed")
    assert started, sub
    return refunded


def agree(book: Book, at: int, sub: Sub, terms: Terms, then: int) -> bool:
    """Agree a change: move the money at `at`, change the terms at `then`; tell whether money was refunded.

    The current period now ends at `then` and the time after it is refunded. The first period under the new terms
    begins at `then` and is paid at `at`. Metered terms start at `then`, as at any period's end.
    """
    amount = unused(sub, then)
    cut(book, sub, then, record_movement(book, at, amount, "unused_refund", sub) if amount else None)
    sub.end, sub.next_end, sub.scheduled, sub.cancel_requested = then, then, terms, False
    if not terms.metered:
        sub.next_end = plus(then, terms.interval, terms.count * sub.periods)
        charge(book, sub, at, then, sub.next_end, terms.amount * sub.quantity * sub.periods, terms)
    record_event(book, sub, at, "subscription.plan_change_scheduled")
    return amount > 0


def change_waiting(book: Book, at: int, sub: Sub, terms: Terms) -> None:
    """Change the terms of a subscription that waits for money, then try to start it. Grace ends with the change."""
    if sub.status is Status.PAST_DUE:
        suspend(book, sub, at)
    switch(book, sub, at, terms)
    record_event(book, sub, at, "subscription.plan_changed")
    start(book, sub, at)
