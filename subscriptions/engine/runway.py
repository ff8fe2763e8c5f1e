"""Runway: when the wallet will not reach any more at the present use, and what ends then. Changes nothing."""

from dataclasses import dataclass
from typing import NamedTuple

from subscriptions.engine.access import next_due, settled
from subscriptions.engine.book import Book, Journal
from subscriptions.engine.calendar import SHORTEST
from subscriptions.engine.metering import metered, spoken_for
from subscriptions.engine.settlement import settle
from subscriptions.engine.subscription import Sub

SHORT = frozenset({"subscription.suspended", "subscription.past_due"})
# What playing forward may cost, about a tenth of a second: a renewal looks at every subscription of the book. One
# hourly payment is followed for more than a year; a wallet that outlasts this is said to have no end.
MOST_WORK = 90_000
RENEWAL = 8


@dataclass(frozen=True, slots=True)
class Runway:
    """At `ends_at` (microseconds) there is no money for `subs`."""

    ends_at: int
    subs: tuple[Sub, ...]


def runway(book: Book, until: int) -> Runway | None:
    """Play the book forward to `until` with no more money; return where it first falls short, None if nowhere."""
    twin = settled(book, book.at or 0)
    left = MOST_WORK // (RENEWAL + len(twin.subs))
    while left > 0:
        assert twin.at is not None
        due = next_due(twin, until - twin.at)
        if due is None or due > until:
            return None
        twin.journal = Journal()
        settle(twin, due)
        short = [event for event in twin.journal.events if event.type in SHORT]
        if short:
            first = short[0].at
            return Runway(first, tuple(event.sub for event in short if event.at == first))
        left -= max(1, len(twin.journal.charges))
    return None


def may_fall_short(book: Book, until: int) -> bool:
    """Tell, cheaply, whether the book might fall short by `until`: False is certain, True wants runway()."""
    need = 0
    for sub in book.subs:
        boundary = sub.boundary
        if boundary is not None and boundary <= until:
            need += dues_until(sub, boundary, until)
    if need > book.balance:
        return True
    need += 1 + spoken_for(book)
    for sub in metered(book):
        assert sub.billed_until is not None
        need += 1 + (sub.rate * max(0, until - sub.billed_until) + sub.remainder) // sub.terms.length
    return need > book.balance


def dues_until(sub: Sub, boundary: int, until: int) -> int:
    """Return at least what the subscription's boundaries up to `until` can ask for."""
    terms = sub.scheduled or sub.terms
    if terms.metered:
        # Starts being used up at the boundary: as if it ran from there.
        return 1 + terms.amount * sub.quantity * (until - boundary) // terms.length
    payments = 1 + (until - boundary) // (SHORTEST[terms.interval] * terms.count * sub.periods)
    return terms.amount * sub.quantity * sub.periods * payments


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
