"""R4: money that comes in, money that goes out, debts written off, and money that was given back without us."""

from subscriptions.engine.activation import revive
from subscriptions.engine.book import (
    Book,
    Cause,
    caused,
    receive,
    record_debt,
    record_movement,
)
from subscriptions.engine.metering import can_pay
from subscriptions.engine.periods import charge_grace, give_back, grace_cost
from subscriptions.engine.refusals import Refusal
from subscriptions.engine.settlement import settle, suspend
from subscriptions.engine.subscription import Status, Sub

NO_CAUSE = Cause()


def top_up(
    book: Book, at: int, amount: int, *, cause: Cause = NO_CAUSE, reason: str = "top_up", first: Sub | None = None
) -> Refusal | None:
    """Add money: it pays the debt, then `first`, for which it was paid, then revives the others."""
    settle(book, at)
    receive(book, caused(record_movement(book, at, amount, reason), cause))
    revive(book, at, first)
    return None


def withdraw(book: Book, at: int, amount: int, *, cause: Cause = NO_CAUSE, reason: str = "refund") -> Refusal | None:
    """Take money out; refuse if that would leave less than what is due now and the days of grace so far."""
    settle(book, at)
    if not can_pay(book, at, amount + sum(grace_cost(sub, at) for sub in book.subs)):
        return Refusal.INSUFFICIENT_FUNDS
    caused(record_movement(book, at, -amount, reason), cause)
    return None


def write_off(book: Book, at: int, amount: int, *, cause: Cause = NO_CAUSE) -> Refusal | None:
    """Lower the debt without money from the customer, then revive what waits; refuse more than is owed."""
    settle(book, at)
    if amount > book.debt:
        return Refusal.MORE_THAN_DEBT
    caused(record_debt(book, at, -amount, "write_off"), cause)
    revive(book, at)
    return None


def lose_dispute(book: Book, at: int, amount: int, *, cause: Cause = NO_CAUSE) -> Refusal | None:
    """Take back a payment that the customer's bank has returned."""
    return take_back(book, at, amount, cause=cause, reason="chargeback")


def take_back(book: Book, at: int, amount: int, *, cause: Cause = NO_CAUSE, reason: str) -> Refusal | None:
    """Take back money that the customer has been given back already, by a bank or at the gateway.

    The wallet pays as far as it goes and the rest is a debt. Then the newest subscriptions lose what is not paid for
    any more, until no debt is left: days of grace end, and unused time pays the debt.
    """
    settle(book, at)
    taken = min(book.balance, amount)
    movement = caused(record_movement(book, at, -taken, reason), cause) if taken else None
    if taken < amount:
        owed = caused(record_debt(book, at, amount - taken, reason), cause)
        owed.along_with = movement
    for sub in reversed(book.subs):
        if not book.debt:
            break
        if sub.status is Status.PAST_DUE:
            charge_grace(book, sub, at)
            suspend(book, sub, at)
        elif sub.is_paid_ahead:
            give_back(book, sub, at)
            suspend(book, sub, at)
    if book.balance:
        revive(book, at)
    return None
