"""Read-only questions about a book: when it is due next, and how long a subscription has access."""

from copy import copy

from subscriptions.engine import metering
from subscriptions.engine.book import Book
from subscriptions.engine.settlement import settle
from subscriptions.engine.subscription import Status, Sub


def settled(book: Book, at: int) -> Book:
    """Return a copy of the book settled to `at`; leave the book itself unchanged."""
    twin = Book(book.balance, [copy(sub) for sub in book.subs], set(book.tried), book.leftover, book.at)
    settle(twin, at)
    return twin


def next_due(book: Book, meter_every: int) -> int | None:
    """Return the next instant at which settling changes something, None if it never will.

    Metered use is charged every `meter_every` microseconds, and one microsecond after the wallet runs dry.
    """
    instants = [boundary for sub in book.subs if (boundary := sub.boundary) is not None]
    paying = [sub for sub in metering.metered(book) if sub.rate]
    if paying:
        assert book.at is not None
        slice_end = book.at + meter_every
        instants.append(slice_end)
        funds = metering.funds_of(book)
        if sum(metering.owed(sub, slice_end) for sub in paying) > funds:
            instants.append(metering.dry_at(paying, funds, slice_end) + 1)
    return min(instants, default=None)


def live_until(book: Book, sub: Sub) -> int | None:
    """Return until when the subscription has access with the present money; None if no end is known."""
    if sub.status is Status.ACTIVE and sub.terms.metered:
        return dry_instant(book)
    return (sub.next_end or sub.boundary) if sub.is_live else None


def dry_instant(book: Book) -> int | None:
    """Return the instant at which the running meters empty the wallet, None if no paid meter runs."""
    paying = [sub for sub in metering.metered(book) if sub.rate]
    if not paying:
        return None
    assert book.at is not None
    funds = metering.funds_of(book)
    # An upper bound: every minor unit lasts as long as the slowest meter needs for it, and two more for fractions.
    horizon = book.at + (max(funds, 0) + 2) * max(-(-sub.terms.length // sub.rate) for sub in paying)
    return metering.dry_at(paying, funds, horizon)
