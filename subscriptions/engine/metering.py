"""R2: metered use and the fractions of a minor unit that it carries on.

The total is exact to the microsecond and the minor unit, no matter into how many slices the time is cut.
"""

from subscriptions.engine.book import Book, charge, charge_leftover, set_status
from subscriptions.engine.calendar import LENGTHS
from subscriptions.engine.subscription import Status, Sub, Terms

# Fractions under different rates are added up in units of 1 / PARTS of a minor unit: a week in microseconds, which
# every metered interval with a count of one divides.
PARTS = LENGTHS["week"]


def metered(book: Book) -> list[Sub]:
    """Return the active metered subscriptions, oldest first."""
    return [sub for sub in book.subs if sub.terms.metered and sub.status is Status.ACTIVE]


def owed(sub: Sub, until: int) -> int:
    """Return the whole minor units that an active metered subscription owes at `until`."""
    assert sub.billed_until is not None
    if until <= sub.billed_until:
        return 0
    return (sub.rate * (until - sub.billed_until) + sub.remainder) // sub.terms.length


def use(book: Book, until: int) -> None:
    """Charge all metered use up to `until`; if the wallet runs dry before, charge up to there and suspend."""
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
            set_status(book, sub, dry, Status.SUSPENDED, "subscription.suspended")


def funds_of(book: Book) -> int:
    """Return the minor units available to running meters: the balance less what stopped meters still owe."""
    return book.balance - idle(book)


def dry_at(paying: list[Sub], funds: int, until: int) -> int:
    """Return the last microsecond before `until` at which the funds still cover what all the meters owe."""
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
    """Charge one subscription for the slice up to `until` and carry the fraction on. The amount may be zero."""
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


def carry(book: Book, sub: Sub, at: int, terms: Terms) -> None:
    """Convert the carried fraction to the new terms; add it to the book if the new terms are not a paid meter."""
    if terms.metered and terms.amount:
        sub.remainder = sub.remainder and sub.remainder * terms.length // sub.terms.length
    else:
        leave(book, sub, at)


def leave(book: Book, sub: Sub, at: int) -> None:
    """Add the fraction of a use that ended to the book, and charge the whole units that the wallet can pay."""
    if not sub.remainder:
        return
    book.leftover += _parts(sub)
    sub.remainder = 0
    whole = min(book.leftover // PARTS, book.balance)
    book.leftover -= whole * PARTS
    charge_leftover(book, sub, at, whole, rest=book.leftover % PARTS * sub.terms.length // PARTS)


def take_up(book: Book, sub: Sub, at: int) -> None:
    """Give the book's leftover to a paid use that starts, and charge the whole units in it."""
    if not sub.rate:
        return
    length = sub.terms.length
    taken, rest = divmod(book.leftover * length, PARTS)
    book.leftover = rest // length
    whole, sub.remainder = divmod(sub.remainder + taken, length)
    charge_leftover(book, sub, at, whole, rest=sub.remainder)


def behind(book: Book, sub: Sub) -> int:
    """Return the minor units required to start a meter.

    One for it, one for each other running meter, and the whole units owed by stopped ones. Otherwise many meters could
    run on one unit that none of them has used up yet.
    """
    return 1 + sum(1 for one in book.subs if one.is_running and one is not sub) + idle(book)


def backs(book: Book, sub: Sub) -> bool:
    """Tell whether the wallet can start this meter. Sum fractions only when they can change the answer."""
    if not 1 <= book.balance <= len(book.subs) + book.leftover // PARTS + 1:
        return book.balance >= 1
    return book.balance >= behind(book, sub)


def idle(book: Book) -> int:
    """Return the whole minor units in the fractions of stopped meters: used already, but not charged yet."""
    return (book.leftover + sum(_parts(sub) for sub in book.subs if sub.remainder and not sub.is_running)) // PARTS


def spoken_for(book: Book) -> int:
    """Return the whole minor units in all carried fractions: used already, so they cannot pay for anything else."""
    return (book.leftover + sum(_parts(sub) for sub in book.subs if sub.remainder)) // PARTS


def affords(book: Book, amount: int) -> bool:
    """Tell whether the wallet can pay `amount` beside all carried fractions. Sum them only when it matters."""
    if not amount:
        return True
    if not amount <= book.balance < amount + len(book.subs) + book.leftover // PARTS + 1:
        return book.balance >= amount
    return book.balance >= amount + spoken_for(book)


def _parts(sub: Sub) -> int:
    """Return the fraction that the subscription carries, in parts."""
    return sub.remainder * PARTS // sub.terms.length
