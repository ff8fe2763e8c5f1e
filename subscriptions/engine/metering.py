"""R2: metered use. Exact to the microsecond and the minor unit, however finely time is cut."""

from subscriptions.engine.book import Book, charge, charge_leftover, move
from subscriptions.engine.calendar import LENGTHS
from subscriptions.engine.subscription import Status, Sub, Terms


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


# Fractions of several rates are added up in so many parts of a minor unit: every plain interval divides it.
PARTS = LENGTHS["week"]


def carry(book: Book, sub: Sub, at: int, terms: Terms) -> None:
    """Take the fraction along from one rate to another; where no rate follows, leave it to the book."""
    if terms.metered and terms.amount:
        sub.remainder = sub.remainder and sub.remainder * terms.length // sub.terms.length
    else:
        leave(book, sub, at)


def leave(book: Book, sub: Sub, at: int) -> None:
    """Leave the fraction of a use that is over to the book; what is whole there now is charged to it, if funded."""
    if not sub.remainder:
        return
    book.leftover += _parts(sub)
    sub.remainder = 0
    whole = min(book.leftover // PARTS, book.balance)
    book.leftover -= whole * PARTS
    charge_leftover(book, sub, at, whole, rest=book.leftover % PARTS * sub.terms.length // PARTS)


def take_up(book: Book, sub: Sub, at: int) -> None:
    """Let a use that starts go on from what the book kept, if it costs anything. What is whole of it is charged."""
    if not sub.rate:
        return
    length = sub.terms.length
    taken, rest = divmod(book.leftover * length, PARTS)
    book.leftover = rest // length
    whole, sub.remainder = divmod(sub.remainder + taken, length)
    charge_leftover(book, sub, at, whole, rest=sub.remainder)


def behind(book: Book, sub: Sub) -> int:
    """Return the minor units behind a metered start: one whole for it and for each other use that runs, and what is
    whole of the fractions that do not run. With less, many could run on the one unit that none has used up.
    """
    return 1 + sum(1 for one in book.subs if one.is_running and one is not sub) + idle(book)


def backs(book: Book, sub: Sub) -> bool:
    """Tell whether the wallet holds what must be behind a metered start. Counts only where it hangs on that."""
    if not 1 <= book.balance <= len(book.subs) + book.leftover // PARTS + 1:
        return book.balance >= 1
    return book.balance >= behind(book, sub)


def idle(book: Book) -> int:
    """Return the whole minor units in the fractions of what does not run now: they are to be charged before it is."""
    return (book.leftover + sum(_parts(sub) for sub in book.subs if sub.remainder and not sub.is_running)) // PARTS


def spoken_for(book: Book) -> int:
    """Return the whole minor units in all fractions: they were used already and buy nothing else."""
    return (book.leftover + sum(_parts(sub) for sub in book.subs if sub.remainder)) // PARTS


def affords(book: Book, amount: int) -> bool:
    """Tell whether the wallet pays `amount` besides what is spoken for. Counts only where it hangs on that."""
    if not amount:
        return True
    if not amount <= book.balance < amount + len(book.subs) + book.leftover // PARTS + 1:
        return book.balance >= amount
    return book.balance >= amount + spoken_for(book)


def _parts(sub: Sub) -> int:
    return sub.remainder * PARTS // sub.terms.length
