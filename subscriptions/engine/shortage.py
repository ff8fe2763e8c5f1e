"""How much money is missing for a change or a start, when the money comes by a payment for nothing in particular.

Such a payment revives what is suspended or past due before it can be spent on anything else. It may come later, when
unused time is worth less and running meters have used more.
"""

from collections.abc import Callable, Sequence

from subscriptions.engine import metering
from subscriptions.engine.activation import cost_of_start
from subscriptions.engine.book import Book
from subscriptions.engine.changes import funds_for
from subscriptions.engine.subscription import REVIVABLE, Sub, Terms


def for_change(book: Book, sub: Sub, terms: Terms, quantity: int, time_to_pay: int) -> int:
    """Return what is missing for a change that is made up to `time_to_pay` microseconds after the book's instant.

    What a payment revives first is not counted.
    """
    assert book.at is not None
    cost = cost_of_start(sub, terms, quantity)
    if sub.is_paid_ahead and terms.plan == sub.terms.plan:
        assert sub.end is not None
        cost = -((sub.paid - cost) * (sub.end - book.at) // sub.length)
        return cost + book.debt - metering.free(book, book.at + time_to_pay)
    later = book.at + time_to_pay
    if sub.is_paid_ahead and sub.end is not None:
        later = min(later, sub.end)
    return cost - funds_for(book, later, sub)


def with_revived(
    book: Book, lacking: int, *, but: Sub, time_to_pay: int, raised: Callable[[int], int] = lambda amount: amount
) -> int:
    """Return a payment that covers `lacking` for the subscription `but` after it has revived others of the book.

    `raised` is the payment that an amount becomes if gateways take no less.
    """
    at_hand = metering.free(book, book.at or 0) - book.debt
    unpaid = [sub for sub in book.subs if sub.status in REVIVABLE and sub is not but]
    # A meter starts with its first unit, and goes on using the rest.
    lacking += sum(use_after_start(sub, time_to_pay) for sub in unpaid if sub.terms.metered)
    dues = [sub.due for sub in unpaid if not sub.terms.metered]
    return lacking + taken_first(dues, lambda taken: at_hand + raised(lacking + taken))


def use_after_start(sub: Sub, time: int) -> int:
    """Return the units that a meter uses in the `time` microseconds after its start, less its credit."""
    return max(0, -((sub.credit - sub.rate * time) // sub.terms.length))


def taken_first(dues: Sequence[int], money: Callable[[int], int]) -> int:
    """Return what a payment may be spent on first: all of these amounts that it can pay.

    `money` is what is at hand after a payment that covers so much of them. Whether one is really paid depends on the
    instant and on the others, so each that fits counts: the payment is enough whenever it comes.
    """
    total = 0
    while (more := sum(due for due in dues if due <= money(total))) > total:
        total = more
    return total
