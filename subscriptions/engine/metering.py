"""R2: metered use. Exact to the microsecond and the minor unit, however finely time is cut."""

from subscriptions.engine.book import Book
from subscriptions.engine.leftover import idle
from subscriptions.engine.noting import charge, move
from subscriptions.engine.subscription import Status, Sub


def metered(book: Book) -> list[Sub]:
    """Return the subscriptions that are being used up now, oldest first."""
    return [sub for sub in book.subs if sub.terms.metered and sub.status is Status.ACTIVE]


def owed(sub: Sub, until: int) -> int:
    """Return the whole minor units that a live metered subscription owes at `until`."""
    assert sub.billed_until is not None
    if until <= sub.billed_until:
        return 0
    return (sub.rate * (until - sub.billed_until) + sub.remainder) // sub.terms.length


def use(book: Book, until: int) -> None:
    """Charge every metered subscription up to `until`, or to where the wallet ran dry before it."""
    subs = metered(book)
    if not subs:
        return
    paying = [sub for sub in subs if sub.rate]
    dry = None
    if paying and sum(owed(sub, until) for sub in paying) > (funds := funds_of(book)):
        dry = dry_at(paying, funds, until)
    for sub in subs:
        take(book, sub, until if dry is None or not sub.rate else dry)
    if dry is not None:
        for sub in paying:
            sub.billed_until = None
            move(book, sub, dry, Status.SUSPENDED, "subscription.suspended")


def funds_of(book: Book) -> int:
    """Return the minor units that may be used up: not what other uses, that do not run now, have used already."""
    return book.balance - idle(book)


def dry_at(paying: list[Sub], funds: int, until: int) -> int:
    """Return the last microsecond before `until` at which what they owe together still fits in the funds."""
    fits = min(sub.billed_until for sub in paying if sub.billed_until is not None)
    fails = until
    while fails - fits > 1:
        middle = (fits + fails) // 2
        if sum(owed(sub, middle) for sub in paying) > funds:
            fails = middle
        else:
            fits = middle
    return fits


def take(book: Book, sub: Sub, until: int) -> None:
    """Charge one subscription for the slice up to `until` and carry the fraction on, also when nothing is owed."""
    start = sub.billed_until
    assert start is not None
    if until <= start:
        return
    before = sub.remainder
    amount, sub.remainder = divmod(sub.rate * (until - start) + before, sub.terms.length)
    row = charge(book, sub, until, start, until, amount)
    row.remainder_before, row.remainder_after = before, sub.remainder
    sub.billed_until = until
    sub.changed = True
