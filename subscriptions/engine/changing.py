"""R5: changing the plan, at once, at the period's end, or at an instant that was agreed on."""

from subscriptions.engine import leftover
from subscriptions.engine.book import Book
from subscriptions.engine.calendar import plus
from subscriptions.engine.noting import charge, cut, enter, tell
from subscriptions.engine.refusal import Refusal
from subscriptions.engine.settling import settle, suspend, switch
from subscriptions.engine.starting import can_start, revive, start
from subscriptions.engine.subscription import FINAL, WAITING, Status, Sub, Terms
from subscriptions.engine.unused import give_back, unused


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
        leftover.take_up(book, sub, at)
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
