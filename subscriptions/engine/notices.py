"""Low-balance notices: 72, 24 and 1 hours before the wallet falls short, each once until money comes."""

from typing import NamedTuple

from subscriptions.engine.book import Book
from subscriptions.engine.runway import Runway, may_fall_short, runway

HOUR = 3_600_000_000
HOURS = (72, 24, 1)


class Notice(NamedTuple):
    """The tightest notice in force (hours, None: none), where the wallet falls short, and when to look again."""

    hours: int | None
    end: Runway | None
    wake_at: int | None


def notice(book: Book, due: int | None) -> Notice:
    """Work out the notice for a settled book that is next looked at when it is `due`.

    What falls short within 72 hours of that must be known now: then it would be too late to be woken for it.
    """
    assert book.at is not None
    if due is None:
        return Notice(None, None, None)
    at, limit = book.at, due + HOURS[0] * HOUR
    end = runway(book, limit) if may_fall_short(book, limit) else None
    if end is None:
        return Notice(None, None, None)
    instants = [(hours, end.ends_at - hours * HOUR) for hours in HOURS]
    given = [hours for hours, instant in instants if instant <= at]
    coming = [instant for _, instant in instants if instant > at]
    return Notice(min(given, default=None), end, min(coming, default=None))
