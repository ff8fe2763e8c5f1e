"""R2: metered use, paid by the minor unit as its use begins.

Use is charged up to the instant of a settlement. In between the wallet holds what the running meters have used.
"""

from subscriptions.engine.book import Book, charge, set_status
from subscriptions.engine.calendar import DAY
from subscriptions.engine.subscription import Status, Sub, Terms


def units(sub: Sub, until: int) -> int:
    """Return the minor units to pay for use up to `until`, beside those already paid: the whole of each one begun."""
    assert sub.billed_until is not None
    return max(0, -((sub.credit - sub.rate * (until - sub.billed_until)) // sub.terms.length))


def first_units(terms: Terms, quantity: int, credit: int) -> int:
    """Return the minor units of the first microsecond of a use that starts."""
    return max(0, -((credit - terms.amount * quantity) // terms.length))


def used(book: Book, until: int) -> int:
    """Return the units that the running meters use up to `until` and that are not charged yet."""
    if book.use is None or book.use[0] != until:
        book.use = until, sum(units(sub, until) for sub in book.meters.values())
    return book.use[1]


def covers(book: Book, money: int, until: int) -> bool:
    """Tell whether `money` pays for what the running meters use up to `until`."""
    if book.use is not None and until <= book.use[0] and book.use[1] <= money:
        # It pays for more than that.
        return True
    return used(book, until) <= money


def free(book: Book, at: int) -> int:
    """Return what the wallet can spend at `at`: the balance less what is used and due now. It may be below zero."""
    return book.balance - used(book, at + 1) if book.meters else book.balance


def can_pay(book: Book, at: int, amount: int) -> bool:
    """Tell whether the wallet can pay `amount` beside what is due now. What costs nothing can always be paid."""
    if amount <= 0:
        return True
    return covers(book, book.balance - amount, at + 1) if book.meters else amount <= book.balance


def begin(book: Book, sub: Sub, at: int) -> None:
    """Let the meter run from `at`. Call it right before the status is set."""
    sub.billed_until = at
    if book.use is not None:
        until, total = book.use
        book.use = until, total + units(sub, until)


def charge_use(book: Book, at: int) -> None:
    """Charge every running meter up to `at`."""
    for sub in book.meters.values() if len(book.meters) < 2 else sorted(book.meters.values(), key=by_age):
        charge_one(book, sub, at)


def charge_one(book: Book, sub: Sub, until: int) -> None:
    """Charge one meter for the slice up to `until`, which may cost nothing, and carry on the rest of its last unit."""
    start = sub.billed_until
    assert start is not None
    if until <= start:
        return
    amount, before = units(sub, until), sub.credit
    sub.credit = before + amount * sub.terms.length - sub.rate * (until - start)
    sub.billed_until = until
    sub.changed = True
    book.use = None
    row = charge(book, sub, until, start, until, amount)
    row.credit_before, row.credit_after = before, sub.credit


def stop_dry(book: Book, until: int) -> bool:
    """Suspend the meters that run dry before `until`, up to the first of them that expires; tell whether any did.

    At the last microsecond that the wallet can pay for all, those that need units for the next are asked, the oldest
    first. Whoever finds none is suspended. With an empty wallet each ends at the end of its own paid unit.
    """
    if not book.meters or covers(book, book.balance, until):
        return False
    meters = sorted((sub for sub in book.meters.values() if sub.rate), key=by_age)
    dry = last_paid(meters, book.balance, until)
    left = book.balance - sum(units(sub, dry) for sub in meters)
    expiry = until
    lasting = []
    for sub in meters:
        more = units(sub, dry + 1) - units(sub, dry)
        if more <= left:
            left -= more
            lasting.append((paid_end(sub, units(sub, dry + 1)), sub.place))
        else:
            expiry = min(expiry, suspend(book, sub, dry))
    if left == 0:
        # Nothing is left for another unit, so that each of the others ends with the unit it is in.
        for end, place in sorted(lasting):
            if end >= until or end > expiry:
                break
            expiry = min(expiry, suspend(book, book.subs[place], end))
    return True


def paid_end(sub: Sub, paid: int) -> int:
    """Return the last microsecond up to which `paid` units more carry the meter."""
    assert sub.billed_until is not None
    return sub.billed_until + (sub.credit + paid * sub.terms.length) // sub.rate


def by_age(sub: Sub) -> int:
    return sub.place


def last_paid(meters: list[Sub], money: int, until: int) -> int:
    """Return the last microsecond before `until` up to which the money covers all the meters."""
    fits = min(sub.billed_until for sub in meters if sub.billed_until is not None)
    fails = until
    while fails - fits > 1:
        middle = (fits + fails) // 2
        if sum(units(sub, middle) for sub in meters) > money:
            fails = middle
        else:
            fits = middle
    return fits


def suspend(book: Book, sub: Sub, at: int) -> int:
    """Charge a meter up to `at`, where the wallet cannot pay more, and suspend it; return when it expires."""
    charge_one(book, sub, at)
    sub.billed_until = None
    sub.wait_end = at + sub.terms.keep_days * DAY
    set_status(book, sub, at, Status.SUSPENDED, "subscription.suspended")
    return sub.wait_end


def carry(sub: Sub, terms: Terms) -> None:
    """Convert the credit to the new rate; it is gone if the new price is paid in advance or free."""
    sub.credit = sub.credit * terms.length // sub.terms.length if terms.metered and terms.amount and sub.credit else 0
