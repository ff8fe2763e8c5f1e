"""R4: starting a subscription, and reviving those that wait for money."""

from subscriptions.engine import leftover
from subscriptions.engine.book import Book
from subscriptions.engine.calendar import DAY, plus
from subscriptions.engine.noting import charge, move
from subscriptions.engine.subscription import WAITING, Status, Sub, Terms


def needed(book: Book, sub: Sub, terms: Terms) -> int:
    """Return the minor units that a start under `terms` needs in the wallet."""
    if terms.metered:
        return leftover.behind(book, sub) if terms.amount else 0
    due = terms.amount * sub.quantity * sub.periods
    return due and due + leftover.spoken_for(book)


def can_start(book: Book, sub: Sub, terms: Terms, *, coming: int = 0) -> bool:
    """Tell whether the wallet, with the minor units that are `coming` back to it, funds a start under `terms`."""
    return book.balance + coming >= needed(book, sub, terms)


def is_funded(book: Book, sub: Sub, *, is_paid_for: bool = False) -> bool:
    """Tell whether the wallet funds a start under the terms it has. Money paid in for just this is not spoken for."""
    if not sub.terms.metered:
        return book.balance >= sub.due if is_paid_for else leftover.affords(book, sub.due)
    return not sub.rate or leftover.backs(book, sub)


def gets_trial(book: Book, sub: Sub) -> bool:
    """Tell whether a start is a free trial: the first of the plan that the customer has."""
    return sub.status is Status.PENDING and sub.terms.trial_days > 0 and sub.terms.plan not in book.tried


def start(book: Book, sub: Sub, at: int, event: str = "subscription.activated", *, is_paid_for: bool = False) -> bool:
    """Start the subscription afresh at `at` if it is funded or has a trial to give; tell whether it did."""
    if gets_trial(book, sub):
        start_trial(book, sub, at)
        return True
    if not is_funded(book, sub, is_paid_for=is_paid_for):
        return False
    if sub.terms.metered:
        leftover.take_up(book, sub, at)
        sub.billed_until = at
    else:
        sub.anchor, sub.number, sub.end = at, 0, at
        pay_period(book, sub, at)
    sub.trial_end = sub.grace_end = None
    if sub.started_at is None:
        sub.started_at = at
    move(book, sub, at, Status.ACTIVE, event)
    return True


def start_trial(book: Book, sub: Sub, at: int) -> None:
    """Give the one free trial that a customer has of a plan."""
    book.tried.add(sub.terms.plan)
    book.journal.trials.append((sub.terms.plan, at))
    sub.trial_end = at + sub.terms.trial_days * DAY
    sub.started_at = at
    move(book, sub, at, Status.TRIALING, "subscription.trial_started")


def pay_period(book: Book, sub: Sub, at: int) -> None:
    """Charge, at `at`, the period that begins where the last one ended and ends as counted from the anchor."""
    assert sub.anchor is not None
    assert sub.end is not None
    sub.number += 1
    sub.start, sub.end = sub.end, plus(sub.anchor, sub.terms.interval, sub.number * sub.terms.count * sub.periods)
    sub.paid, sub.length = sub.due, sub.end - sub.start
    sub.changed = True
    charge(book, sub, at, sub.start, sub.end, sub.due)


def revive(book: Book, at: int, first: Sub | None = None) -> None:
    """Start whatever waits for money and can now pay: `first` first (it was paid for), then oldest first."""
    order = book.subs if first is None else [first, *(sub for sub in book.subs if sub is not first)]
    # Where one meter cannot start no later one can, and a wallet may carry thousands: each would count them all.
    is_short = False
    for sub in order:
        if sub.status is Status.PAST_DUE:
            keep_rhythm(book, sub, at, is_paid_for=sub is first)
        elif sub.status in WAITING and not (is_short and sub.terms.metered and sub.rate and not gets_trial(book, sub)):
            is_short |= not start(book, sub, at, is_paid_for=sub is first) and sub.terms.metered


def keep_rhythm(book: Book, sub: Sub, at: int, *, is_paid_for: bool) -> None:
    """Pay an overdue renewal: the period starts at the old boundary, so the grace was not free."""
    if is_funded(book, sub, is_paid_for=is_paid_for):
        pay_period(book, sub, at)
        sub.grace_end = None
        move(book, sub, at, Status.ACTIVE, "subscription.renewed")
