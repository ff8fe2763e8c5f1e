"""R1 and R3: settling a book up to an instant, boundary by boundary. Settling twice changes nothing."""

from subscriptions.engine import metering
from subscriptions.engine.book import Book, charge, move, tell
from subscriptions.engine.calendar import DAY, plus
from subscriptions.engine.subscription import WAITING, Status, Sub, Terms


def settle(book: Book, at: int) -> None:
    """Bring the book up to `at`; an instant before the one it stands at changes nothing."""
    if book.at is not None and at <= book.at:
        return
    while (sub := next_boundary(book, at)) is not None:
        boundary = sub.boundary
        assert boundary is not None
        metering.use(book, boundary)
        cross(book, sub, boundary)
    metering.use(book, at)
    book.at = at


def next_boundary(book: Book, at: int) -> Sub | None:
    """Return the subscription whose boundary comes next, none after `at`; the oldest where several come together."""
    first, best = None, at + 1
    for sub in book.subs:
        boundary = sub.boundary
        if boundary is not None and boundary < best:
            first, best = sub, boundary
    return first


def cross(book: Book, sub: Sub, at: int) -> None:
    """Decide what becomes of a subscription at the end of its period, trial or grace."""
    if sub.status is Status.PAST_DUE:
        suspend(book, sub, at)
    elif sub.next_end is not None:
        begin_agreed(book, sub, at)
    elif sub.cancel_requested:
        finish(book, sub, at, Status.CANCELLED, "subscription.cancelled")
    elif sub.status is Status.TRIALING:
        sub.trial_end = None
        if not start(book, sub, at):
            suspend(book, sub, at)
    elif not sub.auto_renew:
        finish(book, sub, at, Status.EXPIRED, "subscription.expired")
    elif sub.scheduled is not None:
        begin_scheduled(book, sub, at, sub.scheduled)
    else:
        renew(book, sub, at)


def begin_scheduled(book: Book, sub: Sub, at: int, terms: Terms) -> None:
    """Start under the terms that were scheduled for the period's end, or stop for want of money."""
    switch(book, sub, at, terms)
    if not start(book, sub, at, "subscription.plan_changed"):
        tell(book, sub, at, "subscription.plan_changed")
        suspend(book, sub, at)


def begin_agreed(book: Book, sub: Sub, at: int) -> None:
    """Begin the period that was paid for when the change to it was agreed; metered terms start as scheduled ones do."""
    assert sub.scheduled is not None
    end, sub.next_end = sub.next_end, None
    if sub.scheduled.metered:
        begin_scheduled(book, sub, at, sub.scheduled)
        return
    assert end is not None
    switch(book, sub, at, sub.scheduled)
    sub.anchor, sub.number, sub.start, sub.end = at, 1, at, end
    sub.paid, sub.length = sub.due, end - at
    move(book, sub, at, Status.ACTIVE, "subscription.plan_changed")


def renew(book: Book, sub: Sub, at: int) -> None:
    """Pay the next period, or wait in grace, or stop."""
    if metering.affords(book, sub.due):
        pay_period(book, sub, at)
        move(book, sub, at, Status.ACTIVE, "subscription.renewed")
    elif sub.terms.grace_days:
        sub.grace_end = at + sub.terms.grace_days * DAY
        move(book, sub, at, Status.PAST_DUE, "subscription.past_due")
    else:
        suspend(book, sub, at)


def suspend(book: Book, sub: Sub, at: int) -> None:
    """Stop for want of money; it revives by itself when money comes."""
    sub.grace_end = None
    move(book, sub, at, Status.SUSPENDED, "subscription.suspended")


def finish(book: Book, sub: Sub, at: int, status: Status, event: str) -> None:
    """End a subscription for good."""
    metering.leave(book, sub, at)
    sub.ended_at = at
    sub.cancel_requested, sub.scheduled = False, None
    sub.billed_until = sub.left = sub.trial_end = sub.grace_end = None
    move(book, sub, at, status, event)


def switch(book: Book, sub: Sub, at: int, terms: Terms) -> None:
    """Put other terms in place: the fraction goes along from rate to rate, the rest of the state is dropped."""
    metering.carry(book, sub, at, terms)
    if not terms.metered:
        sub.billed_until = None
    sub.anchor = sub.start = sub.end = None
    sub.number = sub.paid = sub.length = 0
    sub.terms, sub.scheduled, sub.cancel_requested = terms, None, False
    sub.changed = True


def needed(book: Book, sub: Sub, terms: Terms) -> int:
    """Return the minor units that a start under `terms` needs in the wallet."""
    if terms.metered:
        return metering.behind(book, sub) if terms.amount else 0
    due = terms.amount * sub.quantity * sub.periods
    return due and due + metering.spoken_for(book)


def can_start(book: Book, sub: Sub, terms: Terms, *, coming: int = 0) -> bool:
    """Tell whether the wallet, with the minor units that are `coming` back to it, funds a start under `terms`."""
    return book.balance + coming >= needed(book, sub, terms)


def is_funded(book: Book, sub: Sub, *, is_paid_for: bool = False) -> bool:
    """Tell whether the wallet funds a start under the terms it has. Money paid in for just this is not spoken for."""
    if not sub.terms.metered:
        return book.balance >= sub.due if is_paid_for else metering.affords(book, sub.due)
    return not sub.rate or metering.backs(book, sub)


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
        metering.take_up(book, sub, at)
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
