"""When the wallet runs short at the present use (the runway), and which low-balance notice is due for it.

Nothing here changes the book.
"""

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from subscriptions.engine import metering
from subscriptions.engine.access import next_due, settled
from subscriptions.engine.book import Book, Event, Journal
from subscriptions.engine.calendar import SHORTEST
from subscriptions.engine.settlement import settle
from subscriptions.engine.subscription import WAITING, Status, Sub

# Events that mean the wallet could not pay.
SHORT = frozenset({"subscription.suspended", "subscription.past_due"})
# Limit on the work of playing forward, about a tenth of a second: each renewal visits every subscription of the book.
# One hourly payment is followed for more than a year. A wallet that lasts longer than this has no known end.
MOST_WORK = 90_000
RENEWAL = 8
HOUR = 3_600_000_000
# Hours before the end at which a notice is given.
HOURS = (72, 24, 1)


@dataclass(frozen=True, slots=True)
class Runway:
    """At `ends_at` (microseconds) the wallet cannot pay for `subs`."""

    ends_at: int
    subs: tuple[Sub, ...]


class Notice(NamedTuple):
    """The tightest notice in force (hours, or None), the runway it is about, and when the next notice is due."""

    hours: int | None
    end: Runway | None
    wake_at: int | None


NO_NOTICE = Notice(None, None, None)


def runway(book: Book, until: int) -> Runway | None:
    """Play a copy of the book forward without new money; return where it first runs short before `until`, or None."""
    found = first_shortage(book, until, counts=lambda event: event.type in SHORT)
    return Runway(*found) if found else None


def first_shortage(book: Book, until: int, *, counts: Callable[[Event], bool]) -> tuple[int, tuple[Sub, ...]] | None:
    """Play a copy of the book forward without new money; return the first instant by `until` with events that count.

    With it come the subscriptions that these events are about. None if there is no such instant.
    """
    for events in play(book, until):
        short = [event for event in events if counts(event)]
        if short:
            first = short[0].at
            return first, tuple(event.sub for event in short if event.at == first)
    return None


def shortages(book: Book, until: int) -> dict[Hashable, int]:
    """Play a copy of the book forward without new money; return when the wallet first cannot pay for a subscription.

    By id, each that has such an instant by `until`. All draw on the one wallet, in order of time.
    """
    found: dict[Hashable, int] = {}
    for events in play(book, until):
        for event in events:
            if event.type in SHORT:
                found.setdefault(event.sub.id, event.at)
    return found


def play(book: Book, until: int) -> Iterator[list[Event]]:
    """Play a copy of the book forward up to `until` without new money; yield the events of each step.

    It ends earlier where there would be too much to play.
    """
    twin = settled(book, book.at or 0)
    left = MOST_WORK // (RENEWAL + len(twin.subs))
    while left > 0 and (twin.at or 0) < until:
        assert twin.at is not None
        due = next_due(twin, until - twin.at)
        if due is None or due > until:
            return
        twin.journal = Journal()
        settle(twin, due)
        yield twin.journal.events
        left -= max(1, len(twin.journal.charges))


def may_fall_short(book: Book, until: int) -> bool:
    """Tell cheaply whether the book might run short by `until`: False is certain, True must be checked by runway()."""
    need = 0
    for sub in book.subs:
        boundary = sub.boundary
        if boundary is not None and boundary <= until and sub.status not in WAITING:
            if sub.status is Status.PAST_DUE:
                # It is suspended then, whatever the wallet holds.
                return True
            need += dues_until(sub, boundary, until)
    if need > book.balance or not book.meters:
        return need > book.balance
    # A payment leaves what is due at its own instant.
    need += sum(metering.units(sub, until + 1) for sub in book.meters.values())
    return need > book.balance


def dues_until(sub: Sub, boundary: int, until: int) -> int:
    """Return an upper bound of what the subscription's boundaries up to `until` can cost."""
    terms, quantity = sub.scheduled or sub.terms, sub.scheduled_quantity or sub.quantity
    if terms.metered:
        # The meter starts at the boundary: count it as running from there, with the microsecond that begins at `until`.
        return 1 + terms.amount * quantity * (until + 1 - boundary) // terms.length
    payments = 1 + (until - boundary) // (SHORTEST[terms.interval] * terms.count * sub.periods)
    return terms.amount * quantity * sub.periods * payments


def notice(book: Book, due: int | None) -> Notice:
    """Return the notice for a settled book that will be settled next at `due`.

    The search covers 72 hours after `due`: at `due` itself it would be too late to schedule the 72-hour notice.
    """
    assert book.at is not None
    if due is None:
        return NO_NOTICE
    at, limit = book.at, due + HOURS[0] * HOUR
    end = runway(book, limit) if may_fall_short(book, limit) else None
    if end is None:
        return NO_NOTICE
    instants = [(hours, end.ends_at - hours * HOUR) for hours in HOURS]
    given = [hours for hours, instant in instants if instant <= at]
    coming = [instant for _, instant in instants if instant > at]
    return Notice(min(given, default=None), end, min(coming, default=None))
