"""R5: what the rest of a period paid ahead is worth, and giving it back."""

from subscriptions.engine.book import Book, cut, enter
from subscriptions.engine.subscription import Status, Sub


def unused(sub: Sub, at: int) -> int:
    """Return what the rest of an active or paused advance period is worth, rounded down."""
    if sub.terms.metered or sub.end is None:
        return 0
    if sub.status is Status.PAUSED:
        return sub.paid * (sub.left or 0) // sub.length
    return sub.paid * (sub.end - at) // sub.length if sub.status is Status.ACTIVE else 0


def give_back(book: Book, sub: Sub, at: int) -> bool:
    """Return the unused part of an advance period to the wallet; tell whether there was any."""
    amount = unused(sub, at)
    if not amount:
        return stop_use(book, sub, at)
    refund = enter(book, at, amount, "unused_refund", sub)
    cut(book, sub, at if sub.status is Status.ACTIVE else None, refund)
    return True


def stop_use(book: Book, sub: Sub, at: int) -> bool:
    """End the use of a running advance period without giving anything back."""
    if sub.status is Status.ACTIVE and not sub.terms.metered:
        cut(book, sub, at)
    return False
