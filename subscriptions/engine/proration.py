"""R5: the value of the unused time of an advance period, and its refund."""

from subscriptions.engine.book import Book, cut, record_movement
from subscriptions.engine.subscription import Status, Sub


def unused(sub: Sub, at: int) -> int:
    """Return the value of the unused time of an active or paused advance period, rounded down; else 0."""
    if sub.terms.metered or sub.end is None:
        return 0
    if sub.status is Status.PAUSED:
        return sub.paid * (sub.left or 0) // sub.length
    return sub.paid * (sub.end - at) // sub.length if sub.status is Status.ACTIVE else 0


def give_back(book: Book, sub: Sub, at: int) -> bool:
    """Refund the unused time of an advance period to the wallet; tell whether there was any."""
    amount = unused(sub, at)
    if not amount:
        return stop_use(book, sub, at)
    refund = record_movement(book, at, amount, "unused_refund", sub)
    cut(book, sub, at if sub.status is Status.ACTIVE else None, refund)
    return True


def stop_use(book: Book, sub: Sub, at: int) -> bool:
    """End a running advance period without a refund; always return False (nothing was refunded)."""
    if sub.status is Status.ACTIVE and not sub.terms.metered:
        cut(book, sub, at)
    return False
