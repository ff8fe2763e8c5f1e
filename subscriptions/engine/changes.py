"""R5: changes of plan and of quantity, now or at the period's end.

Each settles the book first, then does the whole of it or returns a Refusal and changes nothing more.
"""

from subscriptions.engine import metering
from subscriptions.engine.activation import cost_of_start, grants_trial, revive, start, switch
from subscriptions.engine.book import Book, charge, cut, receive, record_event, record_movement
from subscriptions.engine.periods import charge_grace, give_back, grace_cost, unused
from subscriptions.engine.refusals import Refusal, is_within_limits
from subscriptions.engine.settlement import settle
from subscriptions.engine.subscription import FINAL, WAITING, Status, Sub, Terms


def change_plan(
    book: Book, at: int, sub: Sub, terms: Terms, *, when: str = "now", quantity: int | None = None
) -> Refusal | None:
    """Change the plan, and with it the quantity if one is given: both, or neither if the whole is not funded.

    A change to the plan it has moves nothing by itself and keeps the version of its price.
    """
    settle(book, at)
    if (refusal := _obstacle(book, sub)) is not None:
        return refusal
    if terms.plan == sub.terms.plan:
        return _keep_plan(book, at, sub, quantity, when=when)
    is_later = when == "period_end" and sub.is_paid_ahead
    # What takes effect now drops the number that was scheduled.
    kept = (sub.scheduled_quantity if is_later else None) or sub.quantity
    number = kept if quantity is None else quantity
    if not is_within_limits(terms, number, sub.periods, _begins_at(sub, at, is_later)):
        return Refusal.OUT_OF_RANGE
    if is_later:
        sub.scheduled = terms
        record_event(book, sub, at, "subscription.plan_change_scheduled")
        if quantity is not None:
            _schedule_quantity(book, at, sub, quantity)
        return None
    if sub.status is Status.TRIALING and grants_trial(terms, number):
        switch_in_place(book, at, sub, terms, number)
        sub.cancel_requested = False
        return None
    if sub.is_metering and terms.metered:
        if not sub.terms.amount and not metering.can_pay(book, at, cost_of_start(sub, terms, number)):
            return Refusal.INSUFFICIENT_FUNDS
        switch_in_place(book, at, sub, terms, number)
        return None
    return restart(book, at, sub, terms, number)


def _keep_plan(book: Book, at: int, sub: Sub, quantity: int | None, *, when: str) -> Refusal | None:
    """Drop the plan that was scheduled; change the quantity if one is given, or drop what was scheduled of it too."""
    if quantity is None or quantity == sub.quantity:
        drop_scheduled(book, sub, at)
        return None
    scheduled, sub.scheduled = sub.scheduled, None
    refusal = change_quantity(book, at, sub, quantity, when=when)
    if scheduled is not None and refusal is not None:
        sub.scheduled = scheduled
    elif scheduled is not None:
        record_event(book, sub, at, "subscription.plan_change_dropped")
    return refusal


def _schedule_quantity(book: Book, at: int, sub: Sub, quantity: int) -> None:
    """Let the quantity change with the plan at the period's end; the one it has drops what was scheduled."""
    if quantity != sub.quantity:
        sub.scheduled_quantity = quantity
        record_event(book, sub, at, "subscription.quantity_change_scheduled")
    elif sub.scheduled_quantity is not None:
        sub.scheduled_quantity = None
        record_event(book, sub, at, "subscription.quantity_change_dropped")


def change_quantity(book: Book, at: int, sub: Sub, quantity: int, *, when: str = "now") -> Refusal | None:
    """Change the quantity; one to the quantity it has drops what was scheduled."""
    settle(book, at)
    if (refusal := _obstacle(book, sub)) is not None:
        return refusal
    if quantity == sub.quantity:
        drop_scheduled(book, sub, at)
        return None
    is_later = when == "period_end" and sub.is_paid_ahead
    # What takes effect now drops the plan that was scheduled.
    terms = (sub.scheduled if is_later else None) or sub.terms
    if not is_within_limits(terms, quantity, sub.periods, _begins_at(sub, at, is_later)):
        return Refusal.OUT_OF_RANGE
    if is_later:
        sub.scheduled_quantity = quantity
        record_event(book, sub, at, "subscription.quantity_change_scheduled")
        return None
    if sub.is_paid_ahead:
        return change_paid_quantity(book, at, sub, quantity)
    if sub.status is Status.TRIALING:
        if quantity > sub.terms.trial_quantity_max:
            return Refusal.TRIAL_QUANTITY
        sub.quantity = quantity
        record_event(book, sub, at, "subscription.quantity_changed")
        return None
    if sub.is_metering:
        sub.quantity = quantity
        book.use = None
        record_event(book, sub, at, "subscription.quantity_changed")
        return None
    return restart(book, at, sub, sub.terms, quantity)


def _begins_at(sub: Sub, at: int, is_later: bool) -> int:
    """Return when a change takes effect: at the period's end, or now."""
    return sub.end if is_later and sub.end is not None else at


def _obstacle(book: Book, sub: Sub) -> Refusal | None:
    """Return why nothing can change in this state, None if it can."""
    if sub.status in FINAL:
        return Refusal.FINAL
    if sub.status is Status.PAUSED:
        return Refusal.PAUSED
    return Refusal.BLOCKED if book.is_blocked else None


def drop_scheduled(book: Book, sub: Sub, at: int) -> None:
    """Drop what was scheduled for the period's end."""
    if sub.scheduled is not None:
        sub.scheduled = None
        record_event(book, sub, at, "subscription.plan_change_dropped")
    if sub.scheduled_quantity is not None:
        sub.scheduled_quantity = None
        record_event(book, sub, at, "subscription.quantity_change_dropped")


def switch_in_place(book: Book, at: int, sub: Sub, terms: Terms, quantity: int) -> None:
    """Change a trial or a running meter without a restart."""
    events = _events(sub, terms, quantity)
    switch(book, sub, terms, quantity)
    for event in events:
        record_event(book, sub, at, event)


def _events(sub: Sub, terms: Terms, quantity: int) -> list[str]:
    """Return the events of a change to these terms and this quantity: one for each that is another."""
    events = {
        "subscription.plan_changed": terms.plan != sub.terms.plan,
        "subscription.quantity_changed": quantity != sub.quantity,
    }
    return [event for event, is_other in events.items() if is_other]


def change_paid_quantity(book: Book, at: int, sub: Sub, quantity: int) -> Refusal | None:
    """Change the quantity within a paid period: the difference for the time left moves, the period stays."""
    assert sub.end is not None
    due = sub.terms.amount * quantity * sub.periods
    # Rounded up when the customer pays, down when he gets money back: in both cases towards the same side.
    difference = -((sub.paid - due) * (sub.end - at) // sub.length)
    if difference > 0 and not metering.can_pay(book, at, difference):
        return Refusal.INSUFFICIENT_FUNDS
    drop_scheduled(book, sub, at)
    refund = record_movement(book, at, -difference, "unused_refund", sub) if difference < 0 else None
    cut(book, sub, at, refund)
    sub.quantity, sub.paid, sub.charge_start = quantity, due, at
    sub.net += difference
    charge(book, sub, at, at, sub.end, max(0, difference))
    record_event(book, sub, at, "subscription.quantity_changed")
    if refund:
        receive(book, refund)
        revive(book, at)
    return None


def restart(book: Book, at: int, sub: Sub, terms: Terms, quantity: int) -> Refusal | None:
    """Start under other terms or in another quantity; what waits for money waits anew instead."""
    event, *more = _events(sub, terms, quantity)
    if sub.status in WAITING:
        switch(book, sub, terms, quantity)
        sub.wait(at, book.order_days)
        for each in (event, *more):
            record_event(book, sub, at, each)
        if sub.status is Status.SUSPENDED:
            start(book, sub, at)
        return None
    if not can_restart(book, at, sub, terms, quantity):
        return Refusal.INSUFFICIENT_FUNDS
    if sub.status is Status.PAST_DUE:
        charge_grace(book, sub, at)
    has_money = give_back(book, sub, at)
    sub.cancel_requested = False
    if sub.is_metering:
        del book.meters[sub.place]
    switch(book, sub, terms, quantity)
    started = start(book, sub, at, event)
    assert started, sub
    for each in more:
        record_event(book, sub, at, each)
    if has_money:
        revive(book, at)
    return None


def can_restart(book: Book, at: int, sub: Sub, terms: Terms, quantity: int) -> bool:
    """Tell whether the wallet funds the start, with the unused time that comes back, less grace and debt."""
    cost = cost_of_start(sub, terms, quantity)
    return not cost or funds_for(book, at, sub) >= cost


def funds_for(book: Book, at: int, sub: Sub) -> int:
    """Return what a start of this subscription under other terms can spend: it may be below zero."""
    # Its own meter stops there, so that it needs no unit for the next microsecond.
    own = metering.units(sub, at + 1) - metering.units(sub, at) if sub.is_metering else 0
    return metering.free(book, at) + own + unused(sub, at) - book.debt - grace_cost(sub, at)
