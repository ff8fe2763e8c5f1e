"""R1 and R3: settle a book boundary by boundary. Settling twice to the same instant changes nothing more."""

from subscriptions.engine import metering
from subscriptions.engine.activation import start, switch
from subscriptions.engine.book import Book, record_event, set_status
from subscriptions.engine.periods import charge_grace, grace_length, pay_period
from subscriptions.engine.subscription import ACTIVE, PAST_DUE, PENDING, SUSPENDED, TRIALING, Status, Sub


def settle(book: Book, at: int) -> None:
    """Settle the book up to `at`; do nothing if it is settled further already.

    At the same instant again it applies what an operation has put there, such as the end of a wait of no days.
    """
    if book.at is not None and at < book.at:
        return
    # Looks ahead: if the wallet covers all of this use, nobody on the way has to add it up.
    if book.meters:
        metering.used(book, at + 1)
    else:
        book.use = at + 1, 0
    while True:
        coming = book.next_boundary()
        boundary = coming[0] if coming and coming[0] <= at else None
        if book.meters and metering.stop_dry(book, at if boundary is None else boundary):
            continue
        if coming is None or boundary is None:
            break
        cross(book, coming[1], boundary)
    if book.meters:
        metering.charge_use(book, at)
    book.at = at


def cross(book: Book, sub: Sub, at: int) -> None:
    """Cross a boundary: the end of a period, of a trial, of grace, or of waiting."""
    status = sub.status
    if status is PAST_DUE:
        charge_grace(book, sub, at)
        suspend(book, sub, at)
    elif status is PENDING or status is SUSPENDED:
        finish(book, sub, at, Status.EXPIRED, "subscription.expired")
    elif sub.cancel_requested:
        finish(book, sub, at, Status.CANCELLED, "subscription.cancelled")
    elif status is TRIALING:
        end_trial(book, sub, at)
    elif not sub.auto_renew:
        finish(book, sub, at, Status.EXPIRED, "subscription.expired")
    elif book.is_blocked:
        suspend_blocked(book, sub, at)
    elif sub.scheduled is not None:
        begin_scheduled(book, sub, at)
    else:
        renew(book, sub, at)


def end_trial(book: Book, sub: Sub, at: int) -> None:
    """Start paid use after a trial, or suspend."""
    sub.trial_end = None
    if book.is_blocked or not start(book, sub, at):
        suspend(book, sub, at)


def suspend_blocked(book: Book, sub: Sub, at: int) -> None:
    """Suspend at the period's end because the account is closed. What was scheduled counts from here all the same."""
    if sub.scheduled is not None:
        switch_to_scheduled(book, sub)
        record_event(book, sub, at, "subscription.plan_changed")
    else:
        take_scheduled_quantity(book, sub, at)
    suspend(book, sub, at)


def begin_scheduled(book: Book, sub: Sub, at: int) -> None:
    """Start under the terms scheduled for the period's end, or suspend if the wallet cannot pay."""
    switch_to_scheduled(book, sub)
    if not start(book, sub, at, "subscription.plan_changed"):
        record_event(book, sub, at, "subscription.plan_changed")
        suspend(book, sub, at)


def switch_to_scheduled(book: Book, sub: Sub) -> None:
    """Switch to the terms scheduled for the period's end, and to the quantity if one is scheduled too."""
    assert sub.scheduled is not None
    switch(book, sub, sub.scheduled, sub.scheduled_quantity or sub.quantity)


def take_scheduled_quantity(book: Book, sub: Sub, at: int) -> None:
    """Set the quantity scheduled for the period's end, if there is one."""
    if sub.scheduled_quantity is not None:
        sub.quantity, sub.scheduled_quantity = sub.scheduled_quantity, None
        record_event(book, sub, at, "subscription.quantity_changed")


def renew(book: Book, sub: Sub, at: int) -> None:
    """Pay the next period; if the wallet cannot, begin the grace or suspend."""
    take_scheduled_quantity(book, sub, at)
    if metering.can_pay(book, at, sub.due):
        pay_period(book, sub, at)
        set_status(book, sub, at, ACTIVE, "subscription.renewed")
    elif grace := grace_length(book, sub):
        sub.grace_end = at + grace
        set_status(book, sub, at, Status.PAST_DUE, "subscription.past_due")
    else:
        suspend(book, sub, at)


def suspend(book: Book, sub: Sub, at: int) -> None:
    """Suspend the subscription because money is missing; it revives when money comes within its time."""
    set_status(book, sub, at, Status.SUSPENDED, "subscription.suspended")
    sub.wait(at, book.order_days)
    book.track(sub)


def finish(book: Book, sub: Sub, at: int, status: Status, event: str) -> None:
    """End the subscription with a final status. What is left of a metered unit is gone: it was begun."""
    sub.ended_at = at
    sub.credit = 0
    sub.cancel_requested, sub.scheduled, sub.scheduled_quantity = False, None, None
    sub.billed_until = sub.left = sub.trial_end = sub.grace_end = sub.wait_end = None
    set_status(book, sub, at, status, event)
