"""When the wallet will be short at a renewal, and how much is missing then. Nothing here changes the book."""

from collections.abc import Collection, Hashable
from typing import NamedTuple

from subscriptions.engine import metering
from subscriptions.engine.access import settled
from subscriptions.engine.activation import cost_of_start
from subscriptions.engine.book import Book, Event
from subscriptions.engine.funds import top_up
from subscriptions.engine.runway import SHORT, first_shortage
from subscriptions.engine.settlement import settle
from subscriptions.engine.subscription import REVIVABLE, Status, Sub

# An amount grows at most so often: each time by what was still missing after others had taken their part.
MOST_TURNS = 100


class UnpaidRenewal(NamedTuple):
    """At `at` (microseconds) the wallet cannot pay the next period of `subs`."""

    at: int
    subs: tuple[Sub, ...]


def next_unpaid(book: Book, until: int) -> UnpaidRenewal | None:
    """Play a settled book forward without new money; return the first renewal that is not paid by `until`, or None.

    The end of a trial is a renewal too. Metered use that stops on the way is none, and the search goes on after it.
    """
    found = first_shortage(book, until, counts=is_unpaid_renewal)
    return UnpaidRenewal(*found) if found else None


def is_unpaid_renewal(event: Event) -> bool:
    """Tell whether an event says that a period paid in advance could not be paid at the end of the one before."""
    is_first = event.before in (Status.ACTIVE, Status.TRIALING)
    return event.type in SHORT and is_first and not event.sub.terms.metered


def missing(book: Book, wanted: Collection[Hashable], until: int) -> int:
    """Return the least payment, made at the book's instant, that has these subscriptions paid for at `until`.

    They are given by id. The payment goes to the wallet: it pays the debt and revives others too, as any money does.
    """
    amount = 0
    for _turn in range(MOST_TURNS):
        twin = settled(book, book.at or 0)
        if amount:
            top_up(twin, twin.at or 0, amount)
        settle(twin, until)
        lacking = still_missing(twin, wanted)
        if not lacking:
            break
        amount += lacking
    return amount


def still_missing(book: Book, wanted: Collection[Hashable]) -> int:
    """Return what these subscriptions lack at the book's instant, with the debt; 0 if none of them is unpaid."""
    unpaid = [sub for sub in book.subs if sub.id in wanted and sub.status in REVIVABLE]
    if not unpaid:
        return 0
    costs = [
        sub.due if sub.status is Status.PAST_DUE else cost_of_start(sub, sub.terms, sub.quantity) for sub in unpaid
    ]
    return max(1, sum(costs) + book.debt - metering.free(book, book.at or 0))
