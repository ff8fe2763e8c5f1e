"""R5: subscribe, start, cancel, pause, resume, automatic renewal, and a block of the customer.

Each operation settles the book first, then does the whole of it or returns a Refusal and changes nothing more.
"""

from subscriptions.engine.activation import gets_trial, revive, start
from subscriptions.engine.book import Book, charge, cut, record_event, set_status
from subscriptions.engine.periods import charge_grace, end_use, give_back
from subscriptions.engine.refusals import Refusal, is_within_limits
from subscriptions.engine.settlement import finish, settle, suspend
from subscriptions.engine.subscription import FINAL, WAITING, Status, Sub


def subscribe(book: Book, at: int, sub: Sub, *, is_checkout: bool = False) -> Refusal | None:
    """Add a pending subscription and start it if possible. At a checkout only a trial starts."""
    settle(book, at)
    if not is_within_limits(sub.terms, sub.quantity, sub.periods, at):
        return Refusal.OUT_OF_RANGE
    book.add(sub)
    sub.wait(at, book.order_days)
    record_event(book, sub, at, "subscription.created")
    if not book.is_blocked and (not is_checkout or gets_trial(book, sub)):
        start(book, sub, at)
    return None


def start_waiting(book: Book, at: int, sub: Sub) -> Refusal | None:
    """Start a pending or suspended subscription from the balance."""
    settle(book, at)
    if sub.status in FINAL:
        return Refusal.FINAL
    if sub.status not in WAITING:
        return Refusal.NOT_WAITING
    if book.is_blocked:
        return Refusal.BLOCKED
    return None if start(book, sub, at) else Refusal.INSUFFICIENT_FUNDS


def cancel(book: Book, at: int, sub: Sub, *, when: str | None = None, refund_unused: bool = False) -> Refusal | None:
    """Cancel at the end of the period or trial if there is one, else at once; with `when="now"` always at once."""
    settle(book, at)
    if sub.status in FINAL:
        return Refusal.FINAL
    if when != "now" and (sub.is_paid_ahead or sub.status is Status.TRIALING):
        if not sub.cancel_requested:
            sub.cancel_requested = True
            record_event(book, sub, at, "subscription.cancel_requested")
        return None
    has_period = not sub.terms.metered and sub.status in (Status.ACTIVE, Status.PAUSED)
    if has_period and refund_unused and not sub.terms.can_refund_unused:
        return Refusal.NO_REFUND
    if sub.status is Status.PAST_DUE:
        charge_grace(book, sub, at)
    is_given_back = sub.terms.can_refund_unused and (refund_unused or sub.status is Status.PAUSED)
    has_money = is_given_back and give_back(book, sub, at)
    if not is_given_back:
        end_use(book, sub, at)
    finish(book, sub, at, Status.CANCELLED, "subscription.cancelled")
    if has_money:
        revive(book, at)
    return None


def undo_cancel(book: Book, at: int, sub: Sub) -> Refusal | None:
    """Withdraw a cancel request while the subscription is still live."""
    settle(book, at)
    if not (sub.is_live and sub.cancel_requested):
        return Refusal.NO_CANCEL_TO_UNDO
    sub.cancel_requested = False
    record_event(book, sub, at, "subscription.cancel_undone")
    return None


def pause(book: Book, at: int, sub: Sub) -> Refusal | None:
    """Pause an active subscription: a meter stops, an advance period keeps its remaining time."""
    settle(book, at)
    if sub.status is not Status.ACTIVE:
        return Refusal.NOT_ACTIVE
    if not sub.terms.can_pause:
        return Refusal.NO_PAUSE
    _stop(book, at, sub)
    return None


def _stop(book: Book, at: int, sub: Sub) -> None:
    if sub.terms.metered:
        sub.billed_until = None
    else:
        assert sub.end is not None
        sub.left = sub.end - at
        cut(book, sub, at)
    set_status(book, sub, at, Status.PAUSED, "subscription.paused")


def resume(book: Book, at: int, sub: Sub) -> Refusal | None:
    """Resume: a meter starts anew; an advance period gets its remaining time and a new anchor at its new end."""
    settle(book, at)
    if sub.status is not Status.PAUSED:
        return Refusal.NOT_PAUSED
    if book.is_blocked:
        return Refusal.BLOCKED
    if sub.terms.metered:
        if not start(book, sub, at, "subscription.resumed"):
            suspend(book, sub, at)
        return None
    assert sub.left is not None
    sub.start = sub.charge_start = at
    sub.end, sub.left = at + sub.left, None
    sub.anchor, sub.number = sub.end, 0
    charge(book, sub, at, at, sub.end, 0)
    set_status(book, sub, at, Status.ACTIVE, "subscription.resumed")
    return None


def set_auto_renew(book: Book, at: int, sub: Sub, value: bool) -> Refusal | None:
    """Turn automatic renewal on or off."""
    settle(book, at)
    if sub.status in FINAL:
        return Refusal.FINAL
    if sub.auto_renew != value:
        sub.auto_renew = value
        record_event(book, sub, at, "subscription.auto_renew_changed")
    return None


def block(book: Book, at: int) -> None:
    """Close the account: meters are paused, grace ends, and nothing starts or is renewed until this is undone."""
    settle(book, at)
    book.is_blocked = True
    for sub in book.subs:
        if sub.is_metering:
            sub.is_held = True
            _stop(book, at, sub)
        elif sub.status is Status.PAST_DUE:
            charge_grace(book, sub, at)
            suspend(book, sub, at)


def unblock(book: Book, at: int) -> None:
    """Undo a block: the meters that it paused run again, and the book is revived."""
    settle(book, at)
    book.is_blocked = False
    for sub in book.subs:
        if sub.is_held:
            sub.is_held, sub.changed = False, True
            if sub.status is Status.PAUSED:
                resume(book, at, sub)
    revive(book, at)
