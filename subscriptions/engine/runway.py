"""Runway: when the wallet will not reach any more at the present use, and what ends then. Changes nothing."""

from dataclasses import dataclass

from subscriptions.engine.access import next_due, settled
from subscriptions.engine.book import Book
from subscriptions.engine.calendar import SHORTEST
from subscriptions.engine.journal import Journal
from subscriptions.engine.leftover import spoken_for
from subscriptions.engine.metering import metered
from subscriptions.engine.settling import settle
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
