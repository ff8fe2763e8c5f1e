"""R4 and R5: what comes in from outside; changes of plan are in changing.py.

Each settles the book to its instant, then acts whole or not at all.
"""

from subscriptions.engine.book import Book
from subscriptions.engine.journal import Cause
from subscriptions.engine.leftover import affords
from subscriptions.engine.noting import charge, cut, enter_from_outside, move, tell
from subscriptions.engine.refusal import Refusal
from subscriptions.engine.settling import finish, settle, suspend
from subscriptions.engine.starting import revive, start
from subscriptions.engine.subscription import FINAL, Status, Sub
from subscriptions.engine.unused import give_back, stop_use

NOWHERE = Cause()


def top_up(
    book: Book, at: int, amount: int, *, cause: Cause = NOWHERE, reason: str = "top_up", first: Sub | None = None
) -> None:
    """Put money in and revive what waits for it: `first` before the others, because the money was paid for it."""
    settle(book, at)
    enter_from_outside(book, at, amount, reason, cause)
    revive(book, at, first)


def withdraw(book: Book, at: int, amount: int, *, cause: Cause = NOWHERE, reason: str = "refund") -> Refusal | None:
    """Take money out, refused whole when the wallet is short."""
    settle(book, at)
    if not affords(book, amount):
        return Refusal.INSUFFICIENT_FUNDS
    enter_from_outside(book, at, -amount, reason, cause)
    return None


def subscribe(book: Book, at: int, sub: Sub, *, wait_for_money: bool = False) -> None:
    """Add a pending subscription and start it if it can start; or leave it until money comes in (a checkout)."""
    settle(book, at)
    book.subs.append(sub)
    tell(book, sub, at, "subscription.created")
    if not wait_for_money:
        start(book, sub, at)


def cancel(book: Book, at: int, sub: Sub, *, when: str | None = None, refund_unused: bool = False) -> Refusal | None:
    """End at the period's (or trial's) end, which is the default where there is one, or `now`."""
    settle(book, at)
    if sub.status in FINAL:
        return Refusal.FINAL
    if sub.next_end is not None:
        return Refusal.CHANGING
    has_end = sub.status is Status.TRIALING or (sub.status is Status.ACTIVE and not sub.terms.metered)
    if has_end and when != "now":
        if not sub.cancel_requested:
            sub.cancel_requested = True
            tell(book, sub, at, "subscription.cancel_requested")
        return None
    came_back = give_back(book, sub, at) if refund_unused else stop_use(book, sub, at)
    finish(book, sub, at, Status.CANCELLED, "subscription.cancelled")
    if came_back:
        revive(book, at)
    return None


def undo_cancel(book: Book, at: int, sub: Sub) -> Refusal | None:
    """Take a cancel request back while the subscription is still live."""
    settle(book, at)
    if not (sub.is_live and sub.cancel_requested):
        return Refusal.NO_CANCEL_TO_UNDO
    sub.cancel_requested = False
    tell(book, sub, at, "subscription.cancel_undone")
    return None


def pause(book: Book, at: int, sub: Sub) -> Refusal | None:
    """Stop on request: metered use ends, an advance period keeps what is left of it."""
    settle(book, at)
    if sub.status is not Status.ACTIVE:
        return Refusal.NOT_ACTIVE
    if sub.next_end is not None:
        return Refusal.CHANGING
    if sub.terms.metered:
        sub.billed_until = None
    else:
        assert sub.end is not None
        sub.left = sub.end - at
        cut(book, sub, at)
    move(book, sub, at, Status.PAUSED, "subscription.paused")
    return None


def resume(book: Book, at: int, sub: Sub) -> Refusal | None:
    """Go on: metered starts as any start does, an advance period gets its rest and a new anchor at its new end."""
    settle(book, at)
    if sub.status is not Status.PAUSED:
        return Refusal.NOT_PAUSED
    if sub.terms.metered:
        if not start(book, sub, at, "subscription.resumed"):
            suspend(book, sub, at)
        return None
    assert sub.left is not None
    sub.start, sub.end, sub.left = at, at + sub.left, None
    sub.anchor, sub.number = sub.end, 0
    charge(book, sub, at, sub.start, sub.end, 0)
    move(book, sub, at, Status.ACTIVE, "subscription.resumed")
    return None


def set_auto_renew(book: Book, at: int, sub: Sub, value: bool) -> Refusal | None:
    """Say whether the subscription goes on after its period."""
    settle(book, at)
    if sub.status in FINAL:
        return Refusal.FINAL
    if sub.auto_renew != value:
        sub.auto_renew = value
        tell(book, sub, at, "subscription.auto_renew_changed")
    return None
