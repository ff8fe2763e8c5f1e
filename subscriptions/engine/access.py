"""Read-only questions about a book: when it is due next, and how long a subscription has access."""

from copy import copy

from subscriptions.engine import metering
from subscriptions.engine.book import Book
from subscriptions.engine.settlement import settle
from subscriptions.engine.subscription import Sub


def settled(book: Book, at: int) -> Book:
    """Return a copy of the book settled to `at`; leave the book itself unchanged."""
    twin = Book(
        book.balance, [copy(sub) for sub in book.subs], set(book.tried), book.at, book.debt, book.order_days,
        book.is_blocked,
    )  # fmt: skip
    settle(twin, at)
    return twin


def next_due(book: Book, meter_every: int) -> int | None:
    """Return the next instant at which settling changes something, None if it never will.

    Metered use is charged every `meter_every` microseconds, and one microsecond after a meter runs dry.
    """
    coming = book.next_boundary()
    boundary = coming[0] if coming else None
    if not book.meters or not any(sub.rate for sub in book.meters.values()):
        return boundary
    assert book.at is not None
    slice_end = book.at + meter_every
    due = slice_end if boundary is None else min(boundary, slice_end)
    if metering.used(book, due) > book.balance:
        meters = [sub for sub in book.meters.values() if sub.rate]
        return metering.last_paid(meters, book.balance, due) + 1
    return due


def live_until(book: Book, sub: Sub) -> int | None:
    """Return until when the subscription has access with the present money; None if no end is known."""
    if sub.is_metering:
        return dry_instant(book, sub)
    return sub.boundary if sub.is_live else None


def dry_instant(book: Book, sub: Sub) -> int | None:
    """Return the instant at which this meter stops for want of money, None if it is free.

    Only the meters are played forward: payments in advance that fall due before are not counted.
    """
    if not sub.rate:
        return None
    assert book.at is not None
    meters = sorted(book.meters.values(), key=metering.by_age)
    twin = Book(book.balance, [copy(one) for one in meters], at=book.at)
    mine = twin.subs[meters.index(sub)]
    # An upper bound: all the money, spent by the slowest meter, and two units more for the fractions.
    slowest = max(-(-one.terms.length // one.rate) for one in twin.subs if one.rate)
    horizon = book.at + (max(twin.balance, 0) + 2) * slowest
    while mine.is_metering:
        stopped = metering.stop_dry(twin, horizon)
        assert stopped, sub
    return next(event.at for event in twin.journal.events if event.sub is mine)
