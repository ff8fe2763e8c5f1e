"""Why the rules refuse a request."""

from enum import StrEnum

from subscriptions.engine import metering
from subscriptions.engine.book import Book, Cause, charge, cut, enter, enter_from_outside, move, tell
from subscriptions.engine.calendar import plus
from subscriptions.engine.metering import affords
from subscriptions.engine.proration import give_back, stop_use, unused
from subscriptions.engine.settlement import can_start, finish, revive, settle, start, suspend, switch
from subscriptions.engine.subscription import FINAL, WAITING, Status, Sub, Terms


class Refusal(StrEnum):
    """Why a request was refused. Nothing happened then but that the book is settled."""

    FINAL = "subscription_is_final"
    PAUSED = "subscription_is_paused"
    NOT_ACTIVE = "subscription_is_not_active"
    NOT_PAUSED = "subscription_is_not_paused"
    NO_CANCEL_TO_UNDO = "no_cancel_to_undo"
    CHANGING = "plan_change_under_way"
    INSUFFICIENT_FUNDS = "insufficient_funds"


NOWHERE = Cause()


def top_up(
    book: Book, at: int, amount: int, *, cause: Cause = NOWHERE, reason: str = "top_up", first: Sub | None = None
) -> None:
    """Put money in and revive what waits for it: `first` before the others, because the money was paid for it."""
    settle(book, at)
    enter_from_outside(book, at, amount, reason, cause)
    revive(book, at, first)


def withdraw(book: Book, at: int, amount: int, *, cause: Cause = NOWHERE, reason: str = "refund") -> Refusal | None:
    """Take money out, refused whole when the wallet is short."""
    settle(book, at)
    if not affords(book, amount):
        return Refusal.INSUFFICIENT_FUNDS
    enter_from_outside(book, at, -amount, reason, cause)
    return None


def subscribe(book: Book, at: int, sub: Sub, *, wait_for_money: bool = False) -> None:
    """Add a pending subscription and start it if it can start; or leave it until money comes in (a checkout)."""
    settle(book, at)
    book.subs.append(sub)
    tell(book, sub, at, "subscription.created")
    if not wait_for_money:
        start(book, sub, at)


def cancel(book: Book, at: int, sub: Sub, *, when: str | None = None, refund_unused: bool = False) -> Refusal | None:
    """End at the period's (or trial's) end, which is the default where there is one, or `now`."""
    settle(book, at)
    if sub.status in FINAL:
        return Refusal.FINAL
    if sub.next_end is not None:
        return Refusal.CHANGING
    has_end = sub.status is Status.TRIALING or (sub.status is Status.ACTIVE and not sub.terms.metered)
    if has_end and when != "now":
        if not sub.cancel_requested:
            sub.cancel_requested = True
            tell(book, sub, at, "subscription.cancel_requested")
        return None
    came_back = give_back(book, sub, at) if refund_unused else stop_use(book, sub, at)
    finish(book, sub, at, Status.CANCELLED, "subscription.cancelled")
    if came_back:
        revive(book, at)
    return None


def undo_cancel(book: Book, at: int, sub: Sub) -> Refusal | None:
    """Take a cancel request back while the subscription is still live."""
    settle(book, at)
    if not (sub.is_live and sub.cancel_requested):
        return Refusal.NO_CANCEL_TO_UNDO
    sub.cancel_requested = False
    tell(book, sub, at, "subscription.cancel_undone")
    return None


def pause(book: Book, at: int, sub: Sub) -> Refusal | None:
    """Stop on request: metered use ends, an advance period keeps what is left of it."""
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
    move(book, sub, at, Status.PAUSED, "subscription.paused")
    return None


def resume(book: Book, at: int, sub: Sub) -> Refusal | None:
    """Go on: metered starts as any start does, an advance period gets its rest and a new anchor at its new end."""
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
    move(book, sub, at, Status.ACTIVE, "subscription.resumed")
    return None


def set_auto_renew(book: Book, at: int, sub: Sub, value: bool) -> Refusal | None:
    """Say whether the subscription goes on after its period."""
    settle(book, at)
    if sub.status in FINAL:
        return Refusal.FINAL
    if sub.auto_renew != value:
        sub.auto_renew = value
        tell(book, sub, at, "subscription.auto_renew_changed")
    return None


def change_plan(
    book: Book, at: int, sub: Sub, terms: Terms, *, when: str = "now", effective: int | None = None
) -> Refusal | None:
    """Move to other terms, now or at the period's end; refused whole when the start is not funded.

    With `effective`, an instant within a running advance period: paid now, for the change to come then.
    """
    settle(book, at)
    refusal = obstacle(sub)
    if refusal is not None:
        return refusal
    if sub.status in WAITING:
        change_waiting(book, at, sub, terms)
        return None
    if sub.status is Status.TRIALING or (sub.terms.metered and terms.metered):
        return change_on_the_move(book, at, sub, terms)
    if when == "period_end" and not sub.terms.metered:
        schedule(book, at, sub, terms)
        return None
    then = at if effective is None or not is_within(sub, at, effective) else effective
    if not can_start(book, sub, terms, coming=unused(sub, then)):
        return Refusal.INSUFFICIENT_FUNDS
    came_back = change_at_once(book, at, sub, terms) if then == at else agree(book, at, sub, terms, then)
    if came_back:
        revive(book, at)
    return None


def schedule(book: Book, at: int, sub: Sub, terms: Terms) -> None:
    """Remember the change for the period's end; one to the terms it has already drops what was remembered."""
    if terms.id != sub.terms.id:
        sub.scheduled = terms
        tell(book, sub, at, "subscription.plan_change_scheduled")
    elif sub.scheduled is not None:
        sub.scheduled = None
        tell(book, sub, at, "subscription.plan_change_dropped")


def obstacle(sub: Sub) -> Refusal | None:
    """Say why no plan change can be asked for in this state at all."""
    if sub.status in FINAL:
        return Refusal.FINAL
    if sub.status is Status.PAUSED:
        return Refusal.PAUSED
    return None if sub.next_end is None else Refusal.CHANGING


def is_within(sub: Sub, at: int, effective: int) -> bool:
    """Tell whether `effective` is still to come in a period that is paid for."""
    return not sub.terms.metered and sub.end is not None and at < effective < sub.end


def change_on_the_move(book: Book, at: int, sub: Sub, terms: Terms) -> Refusal | None:
    """Go on with a trial or a metered use under other terms. A use that cost nothing and now does starts to be paid."""
    starts_to_cost = sub.status is Status.ACTIVE and sub.rate == 0 and terms.amount > 0
    if starts_to_cost and not can_start(book, sub, terms):
        return Refusal.INSUFFICIENT_FUNDS
    switch(book, sub, at, terms)
    if starts_to_cost:
        metering.take_up(book, sub, at)
    tell(book, sub, at, "subscription.plan_changed")
    return None


def change_at_once(book: Book, at: int, sub: Sub, terms: Terms) -> bool:
    """Give the unused part back and start under the new terms; tell whether money came back."""
    came_back = give_back(book, sub, at)
    switch(book, sub, at, terms)
    started = start(book, sub, at, "subscription.plan_changed")
    assert started, sub
    return came_back


def agree(book: Book, at: int, sub: Sub, terms: Terms, then: int) -> bool:
    """Move the money at `at` for a change at `then`, up to which the old terms go on; tell whether any came back.

    The period ends at `then` and its rest comes back; the first period under the new terms is paid, from `then` on.
    Metered terms start at `then` as they do at any period's end.
    """
    amount = unused(sub, then)
    cut(book, sub, then, enter(book, at, amount, "unused_refund", sub) if amount else None)
    sub.end, sub.next_end, sub.scheduled, sub.cancel_requested = then, then, terms, False
    if not terms.metered:
        sub.next_end = plus(then, terms.interval, terms.count * sub.periods)
        charge(book, sub, at, then, sub.next_end, terms.amount * sub.quantity * sub.periods, terms)
    tell(book, sub, at, "subscription.plan_change_scheduled")
    return amount > 0


def change_waiting(book: Book, at: int, sub: Sub, terms: Terms) -> None:
    """Change a subscription that is not live, or is so by grace only, which it loses; then try to start it."""
    if sub.status is Status.PAST_DUE:
        suspend(book, sub, at)
    switch(book, sub, at, terms)
    tell(book, sub, at, "subscription.plan_changed")
    start(book, sub, at)
