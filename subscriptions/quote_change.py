"""The change that a quote is about, and what is missing on the balance for it."""

from functools import partial
from typing import NamedTuple

from subscriptions import dues
from subscriptions.engine import changes, funds, shortage
from subscriptions.engine.access import settled
from subscriptions.engine.book import Book
from subscriptions.engine.calendar import SECOND
from subscriptions.engine.refusals import Refusal
from subscriptions.engine.subscription import Sub, Terms

# How long the money that is missing for a change is enough for it.
TIME_TO_PAY = 3600 * SECOND
# How often a missing amount is raised because playing it shows that it is not enough.
MOST_TRIES = 10


class Change(NamedTuple):
    """What a quote is about: other terms, or another quantity if that is set."""

    terms: Terms
    quantity: int | None
    when: str

    def apply(self, book: Book, at: int, sub: Sub) -> Refusal | None:
        """Make the change on a book of the engine."""
        if self.quantity is None:
            return changes.change_plan(book, at, sub, self.terms, when=self.when)
        return changes.change_quantity(book, at, sub, self.quantity, when=self.when)


def missing(book: Book, sub: Sub, change: Change, currency: str) -> int:
    """Return a payment that is enough for the change, whatever it revives first, if it comes within the time to pay.

    Payments that fall due meanwhile show only when it is played.
    """
    assert book.at is not None
    amount = _lacking(book, sub, change, currency, TIME_TO_PAY)
    instants = _instants(book, sub, book.at)
    for _turn in range(MOST_TRIES):
        more = max(_lacking_after(book, sub.id, change, currency, amount, at) for at in instants)
        if more <= 0:
            break
        amount += more
    return amount


def _instants(book: Book, sub: Sub, start: int) -> list[int]:
    """Return the instants within the time to pay at which a payment may be enough before and not enough after."""
    end = start + TIME_TO_PAY
    if sub.boundary is not None:
        end = max(start, min(end, sub.boundary - 1))
    between = {at for at, _ in book.boundaries if start < at < end}
    return [start, *sorted(between)[:MOST_TRIES], end]


def _lacking(book: Book, sub: Sub, change: Change, currency: str, time_to_pay: int) -> int:
    quantity = sub.quantity if change.quantity is None else change.quantity
    bare = shortage.for_change(book, sub, change.terms, quantity, time_to_pay)
    raised = partial(dues.payable, currency=currency)
    return shortage.with_revived(book, bare, but=sub, time_to_pay=time_to_pay, raised=raised)


def _lacking_after(book: Book, key: object, change: Change, currency: str, amount: int, at: int) -> int:
    """Return what the change still lacks after a payment of `amount` at `at`."""
    twin = settled(book, at)
    sub = next(one for one in twin.subs if one.id == key)
    funds.top_up(twin, at, amount)
    if change.apply(twin, at, sub) is not Refusal.INSUFFICIENT_FUNDS:
        return 0
    return max(1, _lacking(twin, sub, change, currency, 0))
