"""R1 and R3: settle a book boundary by boundary, and start, renew, suspend, revive and finish subscriptions.

Settling twice to the same instant changes nothing more.
"""

from subscriptions.engine import metering
from subscriptions.engine.book import Book, charge, record_event, set_status
from subscriptions.engine.calendar import DAY, plus
from subscriptions.engine.subscription import WAITING, Status, Sub, Terms


def settle(book: Book, at: int) -> None:
    """Settle the book up to `at`; do nothing if it is settled that far already."""
    if book.at is not None and at <= book.at:
        return
    while (sub := next_boundary(book, at)) is not None:
        boundary = sub.boundary
        assert boundary is not None
        metering.use(book, boundary)
        cross(book, sub, boundary)
    metering.use(book, at)
    book.at = at


def next_boundary(book: Book, at: int) -> Sub | None:
    """Return the subscription with the earliest boundary up to `at`, the oldest if several share it; else None."""
    first, best = None, at + 1
    for sub in book.subs:
        boundary = sub.boundary
        if boundary is not None and boundary < best:
            first, best = sub, boundary
    return first


def cross(book: Book, sub: Sub, at: int) -> None:
    """Cross a boundary: the end of a period, trial or grace."""
    if sub.status is Status.PAST_DUE:
        suspend(book, sub, at)
    elif sub.next_end is not None:
        begin_agreed(book, sub, at)
    elif sub.cancel_requested:
        finish(book, sub, at, Status.CANCELLED, "subscription.cancelled")
    elif sub.status is Status.TRIALING:
        sub.trial_end = None
        if not start(book, sub, at):
            suspend(book, sub, at)
    elif not sub.auto_renew:
        finish(book, sub, at, Status.EXPIRED, "subscription.expired")
    elif sub.scheduled is not None:
        begin_scheduled(book, sub, at, sub.scheduled)
    else:
        renew(book, sub, at)


def begin_scheduled(book: Book, sub: Sub, at: int, terms: Terms) -> None:
    """Start under the terms scheduled for the period's end, or suspend if the wallet cannot pay."""
    switch(book, sub, at, terms)
    if not start(book, sub, at, "subscription.plan_changed"):
        record_event(book, sub, at, "subscription.plan_changed")
        suspend(book, sub, at)


def begin_agreed(book: Book, sub: Sub, at: int) -> None:
    """Begin the period that was paid when the plan change was agreed; metered terms start like scheduled ones."""
    assert sub.scheduled is not None
    end, sub.next_end = sub.next_end, None
    if sub.scheduled.metered:
        begin_scheduled(book, sub, at, sub.scheduled)
        return
    assert end is not None
    switch(book, sub, at, sub.scheduled)
    sub.anchor, sub.number, sub.start, sub.end = at, 1, at, end
    sub.paid, sub.length = sub.due, end - at
    set_status(book, sub, at, Status.ACTIVE, "subscription.plan_changed")


def renew(book: Book, sub: Sub, at: int) -> None:
    """Pay the next period; if the wallet cannot, begin the grace or suspend."""
    if metering.affords(book, sub.due):
        pay_period(book, sub, at)
        set_status(book, sub, at, Status.ACTIVE, "subscription.renewed")
    elif sub.terms.grace_days:
        sub.grace_end = at + sub.terms.grace_days * DAY
        set_status(book, sub, at, Status.PAST_DUE, "subscription.past_due")
    else:
        suspend(book, sub, at)


def suspend(book: Book, sub: Sub, at: int) -> None:
    """Suspend the subscription because money is missing; it revives when money comes in."""
    sub.grace_end = None
    set_status(book, sub, at, Status.SUSPENDED, "subscription.suspended")


def finish(book: Book, sub: Sub, at: int, status: Status, event: str) -> None:
    """End the subscription with a final status."""
    metering.leave(book, sub, at)
    sub.ended_at = at
    sub.cancel_requested, sub.scheduled = False, None
    sub.billed_until = sub.left = sub.trial_end = sub.grace_end = None
    set_status(book, sub, at, status, event)


def switch(book: Book, sub: Sub, at: int, terms: Terms) -> None:
    """Replace the terms and reset the period; a metered fraction is carried over."""
    metering.carry(book, sub, at, terms)
    if not terms.metered:
        sub.billed_until = None
    sub.anchor = sub.start = sub.end = None
    sub.number = sub.paid = sub.length = 0
    sub.terms, sub.scheduled, sub.cancel_requested = terms, None, False
    sub.changed = True


def needed(book: Book, sub: Sub, terms: Terms) -> int:
    """Return the minor units that the wallet must hold for a start under `terms`."""
    if terms.metered:
        return metering.behind(book, sub) if terms.amount else 0
    due = terms.amount * sub.quantity * sub.periods
    return due and due + metering.spoken_for(book)


def can_start(book: Book, sub: Sub, terms: Terms, *, coming: int = 0) -> bool:
    """Tell whether the wallet plus a refund of `coming` minor units can fund a start under `terms`."""
    return book.balance + coming >= needed(book, sub, terms)


def is_funded(book: Book, sub: Sub, *, is_paid_for: bool = False) -> bool:
    """Tell whether the wallet can fund a start now. With `is_paid_for`, carried fractions do not count against it."""
    if not sub.terms.metered:
        return book.balance >= sub.due if is_paid_for else metering.affords(book, sub.due)
    return not sub.rate or metering.backs(book, sub)


def gets_trial(book: Book, sub: Sub) -> bool:
    """Tell whether a start would be a free trial: the customer's first one of this plan."""
    return sub.status is Status.PENDING and sub.terms.trial_days > 0 and sub.terms.plan not in book.tried


def start(book: Book, sub: Sub, at: int, event: str = "subscription.activated", *, is_paid_for: bool = False) -> bool:
    """Start the subscription at `at` with a trial, or paid if the wallet can; tell whether it started."""
    if gets_trial(book, sub):
        start_trial(book, sub, at)
        return True
    if not is_funded(book, sub, is_paid_for=is_paid_for):
        return False
    if sub.terms.metered:
        metering.take_up(book, sub, at)
        sub.billed_until = at
    else:
        sub.anchor, sub.number, sub.end = at, 0, at
        pay_period(book, sub, at)
    sub.trial_end = sub.grace_end = None
    if sub.started_at is None:
        sub.started_at = at
    set_status(book, sub, at, Status.ACTIVE, event)
    return True


def start_trial(book: Book, sub: Sub, at: int) -> None:
    """Start the free trial, which a customer gets once per plan."""
    book.tried.add(sub.terms.plan)
    book.journal.trials.append((sub.terms.plan, at))
    sub.trial_end = at + sub.terms.trial_days * DAY
    sub.started_at = at
    set_status(book, sub, at, Status.TRIALING, "subscription.trial_started")


def pay_period(book: Book, sub: Sub, at: int) -> None:
    """Charge at `at` for the next period: it begins at the last end, and its end is counted from the anchor."""
    assert sub.anchor is not None
    assert sub.end is not None
    sub.number += 1
    sub.start, sub.end = sub.end, plus(sub.anchor, sub.terms.interval, sub.number * sub.terms.count * sub.periods)
    sub.paid, sub.length = sub.due, sub.end - sub.start
    sub.changed = True
    charge(book, sub, at, sub.start, sub.end, sub.due)


def revive(book: Book, at: int, first: Sub | None = None) -> None:
    """Start the subscriptions that wait for money and can be paid now: `first` (it was paid for), then the oldest."""
    order = book.subs if first is None else [first, *(sub for sub in book.subs if sub is not first)]
    # If one paid meter cannot start, no later one can. Skip them: each check would sum up thousands of meters.
    is_short = False
    for sub in order:
        if sub.status is Status.PAST_DUE:
            keep_rhythm(book, sub, at, is_paid_for=sub is first)
        elif sub.status in WAITING and not (is_short and sub.terms.metered and sub.rate and not gets_trial(book, sub)):
            is_short |= not start(book, sub, at, is_paid_for=sub is first) and sub.terms.metered


def keep_rhythm(book: Book, sub: Sub, at: int, *, is_paid_for: bool) -> None:
    """Pay an overdue renewal. The period starts at the old boundary, so the grace is paid for too."""
    if is_funded(book, sub, is_paid_for=is_paid_for):
        pay_period(book, sub, at)
        sub.grace_end = None
        set_status(book, sub, at, Status.ACTIVE, "subscription.renewed")
