"""R1 and R3: settling a book up to an instant, boundary by boundary. Settling twice changes nothing."""

from subscriptions.engine import leftover, metering
from subscriptions.engine.book import Book
from subscriptions.engine.calendar import DAY
from subscriptions.engine.noting import move, tell
from subscriptions.engine.starting import pay_period, start
from subscriptions.engine.subscription import Status, Sub, Terms


def settle(book: Book, at: int) -> None:
    """Bring the book up to `at`; an instant before the one it stands at changes nothing."""
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
    """Return the subscription whose boundary comes next, none after `at`; the oldest where several come together."""
    first, best = None, at + 1
    for sub in book.subs:
        boundary = sub.boundary
        if boundary is not None and boundary < best:
            first, best = sub, boundary
    return first


def cross(book: Book, sub: Sub, at: int) -> None:
    """Decide what becomes of a subscription at the end of its period, trial or grace."""
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
    """Start under the terms that were scheduled for the period's end, or stop for want of money."""
    switch(book, sub, at, terms)
    if not start(book, sub, at, "subscription.plan_changed"):
        tell(book, sub, at, "subscription.plan_changed")
        suspend(book, sub, at)


def begin_agreed(book: Book, sub: Sub, at: int) -> None:
    """Begin the period that was paid for when the change to it was agreed; metered terms start as scheduled ones do."""
    assert sub.scheduled is not None
    end, sub.next_end = sub.next_end, None
    if sub.scheduled.metered:
        begin_scheduled(book, sub, at, sub.scheduled)
        return
    assert end is not None
    switch(book, sub, at, sub.scheduled)
    sub.anchor, sub.number, sub.start, sub.end = at, 1, at, end
    sub.paid, sub.length = sub.due, end - at
    move(book, sub, at, Status.ACTIVE, "subscription.plan_changed")


def renew(book: Book, sub: Sub, at: int) -> None:
    """Pay the next period, or wait in grace, or stop."""
    if leftover.affords(book, sub.due):
        pay_period(book, sub, at)
        move(book, sub, at, Status.ACTIVE, "subscription.renewed")
    elif sub.terms.grace_days:
        sub.grace_end = at + sub.terms.grace_days * DAY
        move(book, sub, at, Status.PAST_DUE, "subscription.past_due")
    else:
        suspend(book, sub, at)


def suspend(book: Book, sub: Sub, at: int) -> None:
    """Stop for want of money; it revives by itself when money comes."""
    sub.grace_end = None
    move(book, sub, at, Status.SUSPENDED, "subscription.suspended")


def finish(book: Book, sub: Sub, at: int, status: Status, event: str) -> None:
    """End a subscription for good."""
    leftover.leave(book, sub, at)
    sub.ended_at = at
    sub.cancel_requested, sub.scheduled = False, None
    sub.billed_until = sub.left = sub.trial_end = sub.grace_end = None
    move(book, sub, at, status, event)


def switch(book: Book, sub: Sub, at: int, terms: Terms) -> None:
    """Put other terms in place: the fraction goes along from rate to rate, the rest of the state is dropped."""
    leftover.carry(book, sub, at, terms)
    if not terms.metered:
        sub.billed_until = None
    sub.anchor = sub.start = sub.end = None
    sub.number = sub.paid = sub.length = 0
    sub.terms, sub.scheduled, sub.cancel_requested = terms, None, False
    sub.changed = True
