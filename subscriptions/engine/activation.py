"""R4: what a start needs, the start itself, trials, and the revival of a book that has got money."""

from subscriptions.engine import metering
from subscriptions.engine.book import Book, set_status
from subscriptions.engine.calendar import DAY
from subscriptions.engine.periods import pay_period
from subscriptions.engine.subscription import WAITING, Status, Sub, Terms


def cost_of_start(sub: Sub, terms: Terms, quantity: int) -> int:
    """Return the minor units that a start under these terms needs. The credit counts only from one rate to another."""
    if not terms.metered:
        return terms.amount * quantity * sub.periods
    if not terms.amount:
        return 0
    keeps_credit = sub.terms.metered
    credit = sub.credit * terms.length // sub.terms.length if keeps_credit else 0
    return metering.first_units(terms, quantity, credit)


def is_funded(book: Book, sub: Sub, at: int) -> bool:
    """Tell whether the wallet can fund a start now."""
    return metering.can_pay(book, at, cost_of_start(sub, sub.terms, sub.quantity))


def missing(book: Book, sub: Sub, at: int) -> int:
    """Return what the wallet lacks for a start, with the debt that new money pays first."""
    return cost_of_start(sub, sub.terms, sub.quantity) + book.debt - metering.free(book, at)


def grants_trial(terms: Terms, quantity: int) -> bool:
    """Tell whether the terms grant a trial for this quantity."""
    return terms.trial_days > 0 and quantity <= terms.trial_quantity_max


def gets_trial(book: Book, sub: Sub) -> bool:
    """Tell whether a start would be a free trial: the customer's first one of this plan."""
    return (
        sub.status is Status.PENDING
        and grants_trial(sub.terms, sub.quantity)
        and not book.debt
        and sub.terms.plan not in book.tried
    )


def start(book: Book, sub: Sub, at: int, event: str = "subscription.activated") -> bool:
    """Start the subscription at `at` with a trial, or paid if the wallet can; tell whether it started."""
    if gets_trial(book, sub):
        start_trial(book, sub, at)
        return True
    if not is_funded(book, sub, at):
        return False
    if sub.terms.metered:
        metering.begin(book, sub, at)
    else:
        sub.anchor, sub.number, sub.end = at, 0, at
        pay_period(book, sub, at)
    sub.trial_end = sub.grace_end = sub.wait_end = None
    if sub.started_at is None:
        sub.started_at = at
    set_status(book, sub, at, Status.ACTIVE, event)
    return True


def start_trial(book: Book, sub: Sub, at: int) -> None:
    """Start the free trial, which a customer gets once per plan."""
    book.tried.add(sub.terms.plan)
    book.journal.trials.append((sub.terms.plan, at))
    sub.trial_end = at + sub.terms.trial_days * DAY
    sub.wait_end = None
    sub.started_at = at
    set_status(book, sub, at, Status.TRIALING, "subscription.trial_started")


def switch(book: Book, sub: Sub, terms: Terms, quantity: int) -> None:
    """Replace terms and quantity, and reset the period; credit is carried from one rate to another."""
    metering.carry(sub, terms)
    book.use = None
    if not terms.metered:
        sub.billed_until = None
    sub.anchor = sub.start = sub.end = sub.charge_start = None
    sub.number = sub.paid = sub.net = sub.length = 0
    sub.terms, sub.quantity = terms, quantity
    sub.scheduled = sub.scheduled_quantity = None
    sub.changed = True


def revive(book: Book, at: int, first: Sub | None = None) -> None:
    """Start `first`, which was paid for; then pay what is overdue and start what is suspended, the oldest first."""
    if book.is_blocked:
        return
    if first is not None and first.status in WAITING:
        start(book, first, at)
    for sub in book.subs:
        if sub.status is Status.PAST_DUE:
            keep_rhythm(book, sub, at)
        elif sub.status is Status.SUSPENDED:
            start(book, sub, at)


def keep_rhythm(book: Book, sub: Sub, at: int) -> None:
    """Pay an overdue renewal. The period starts at the old boundary, so the grace is paid for too."""
    if metering.can_pay(book, at, sub.due):
        pay_period(book, sub, at)
        sub.grace_end = None
        set_status(book, sub, at, Status.ACTIVE, "subscription.renewed")
