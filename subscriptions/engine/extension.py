"""Time that the seller gives for free: a period or a trial ends later, or days of grace go on for longer.

It settles the book first, then does the whole of it or returns a Refusal and changes nothing more.
"""

from subscriptions.engine.book import EXTENDED, Book, charge, cut, record_event
from subscriptions.engine.calendar import DAY
from subscriptions.engine.periods import next_end
from subscriptions.engine.refusals import Refusal
from subscriptions.engine.settlement import settle
from subscriptions.engine.subscription import FINAL, Status, Sub

# The most days that one extension gives.
MOST_DAYS = 366


def extend(book: Book, at: int, sub: Sub, days: int) -> Refusal | None:
    """Let the paid period, the trial or the days of grace that run at `at` end so many days later. No money moves.

    Whatever is to happen at the end (a renewal, a cancellation, a scheduled change) happens at the new end. Days of
    grace stay what they are, a payment that is late: together they are never longer than the period that is not paid.
    """
    settle(book, at)
    if (refusal := obstacle(book, sub)) is not None:
        return refusal
    if not 1 <= days <= MOST_DAYS:
        return Refusal.OUT_OF_RANGE
    more = days * DAY
    if sub.trial_end is not None and sub.status is Status.TRIALING:
        sub.trial_end += more
    elif sub.grace_end is not None and sub.status is Status.PAST_DUE:
        if sub.grace_end + more > next_end(sub):
            return Refusal.GRACE_TOO_LONG
        sub.grace_end += more
    else:
        lengthen(book, at, sub, more)
    record_event(book, sub, at, EXTENDED)
    return None


def obstacle(book: Book, sub: Sub) -> Refusal | None:
    """Return why there is nothing to extend in this state, None if there is something."""
    if sub.status in FINAL:
        return Refusal.FINAL
    if sub.status is Status.PAUSED:
        return Refusal.PAUSED
    if not (sub.is_paid_ahead or sub.status in (Status.TRIALING, Status.PAST_DUE)):
        return Refusal.NOTHING_TO_EXTEND
    return Refusal.BLOCKED if book.is_blocked else None


def lengthen(book: Book, at: int, sub: Sub, more: int) -> None:
    """Make a paid period longer; its rest stands in a charge of 0, and later periods are counted from its new end.

    What was paid is then for the longer period, so that unused time is never worth more than was paid.
    """
    assert sub.end is not None
    cut(book, sub, at)
    sub.charge_start = at
    sub.end += more
    sub.length += more
    sub.anchor, sub.number = sub.end, 0
    charge(book, sub, at, at, sub.end, 0)
