"""Periods paid in advance: paying the next one, what unused time is worth, and days of grace."""

from subscriptions.engine.book import Book, Charge, charge, cut, receive, record_debt, record_movement
from subscriptions.engine.calendar import DAY, plus
from subscriptions.engine.metering import used
from subscriptions.engine.subscription import Status, Sub


def next_end(sub: Sub) -> int:
    """Return the end of the period after the current one, counted from the anchor."""
    assert sub.anchor is not None
    return plus(sub.anchor, sub.terms.interval, (sub.number + 1) * sub.terms.count * sub.periods)


def pay_period(book: Book, sub: Sub, at: int) -> None:
    """Charge at `at` for the next period, which begins at the last end."""
    assert sub.end is not None
    start, end, due = sub.end, next_end(sub), sub.due
    sub.number += 1
    sub.start = sub.charge_start = start
    sub.end = end
    sub.paid = sub.net = due
    sub.length = end - start
    sub.changed = True
    charge(book, sub, at, start, end, due)


def unused(sub: Sub, at: int) -> int:
    """Return the value of the unused time of an active or paused advance period, rounded down; else 0."""
    if sub.terms.metered or sub.end is None:
        return 0
    if sub.status is Status.PAUSED:
        return sub.paid * (sub.left or 0) // sub.length
    return sub.paid * (sub.end - at) // sub.length if sub.status is Status.ACTIVE else 0


def give_back(book: Book, sub: Sub, at: int) -> bool:
    """End an advance period and give its unused time back; tell whether there was any."""
    amount = unused(sub, at)
    if not amount:
        end_use(book, sub, at)
        return False
    refund = record_movement(book, at, amount, "unused_refund", sub)
    cut(book, sub, at if sub.status is Status.ACTIVE else None, refund)
    receive(book, refund)
    return True


def end_use(book: Book, sub: Sub, at: int) -> None:
    """End a running advance period, if there is one, and keep what was paid."""
    if sub.is_paid_ahead:
        cut(book, sub, at)


def grace_length(book: Book, sub: Sub) -> int:
    """Return for how many microseconds an advance period that ended goes on unpaid.

    Grace is never longer than the period that was just paid, and there is none while there is a debt.
    """
    if not sub.terms.grace_days or book.debt:
        return 0
    assert sub.end is not None
    covered = (next_end(sub) - sub.end) * min(sub.net, sub.due) // sub.due
    return min(sub.terms.grace_days * DAY, covered)


def grace_cost(sub: Sub, at: int) -> int:
    """Return what the days of grace up to `at` cost, rounded up; 0 if there are none."""
    if sub.status is not Status.PAST_DUE:
        return 0
    assert sub.end is not None
    return -(-sub.due * (at - sub.end) // (next_end(sub) - sub.end))


def charge_grace(book: Book, sub: Sub, at: int) -> Charge | None:
    """Charge the days of grace that end at `at`: the wallet pays as far as it goes, the rest becomes a debt."""
    assert sub.end is not None
    cost, start = grace_cost(sub, at), sub.end
    sub.grace_end = None
    if at == start:
        return None
    row = charge(book, sub, at, start, at, min(cost, max(0, book.balance - used(book, at))))
    row.full_length = next_end(sub) - start
    owed = cost - row.amount
    if owed:
        row.amount = cost
        row.owed = record_debt(book, at, owed, "charge", sub)
        row.owed.along_with = row.movement
    return row
