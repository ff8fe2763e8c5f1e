"""The states of a payment: the allowed moves, the ways a payment ends, its events, and when to check an open one.

The database repeats the table of moves in a trigger (migration 0002_guards).
"""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from accounts import billing_details
from accounts.models import User
from events import outbox
from ledger.money import Money
from payments import paid_changes, truncation
from payments.models import CollectionPlan, Dispute, Payment
from subscriptions import books
from subscriptions.models import Subscription

Status = Payment.Status

OPEN = frozenset({Status.PENDING, Status.UNKNOWN})
_ENDED = frozenset({Status.CONFIRMED, Status.FAILED, Status.CANCELLED, Status.EXPIRED})

# Each state with the states it may move to. `confirmed` is final. A payment leaves `failed`, `cancelled` or `expired`
# only when the gateway reports money: it came late (confirmed), or the amount is not the one we requested (unknown,
# with a reason for staff).
MOVES: dict[Status, frozenset[Status]] = {
    Status.PENDING: _ENDED | {Status.UNKNOWN},
    Status.UNKNOWN: _ENDED | {Status.PENDING},
    Status.FAILED: frozenset({Status.CONFIRMED, Status.UNKNOWN}),
    Status.CANCELLED: frozenset({Status.CONFIRMED, Status.UNKNOWN}),
    Status.EXPIRED: frozenset({Status.CONFIRMED, Status.UNKNOWN}),
    Status.CONFIRMED: frozenset(),
}

FINAL_SUBSCRIPTION = (Subscription.Status.CANCELLED, Subscription.Status.EXPIRED)

# Ages at which an open payment is checked at its gateway. After the last one it is checked once a day.
CHECK_AGES = (
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=6),
)
DAY = timedelta(days=1)


class IllegalMove(Exception):
    """The move is not in MOVES. This is a bug of ours, never the customer's mistake."""


def lock(payment_id: int) -> Payment:
    """Return the payment with its row locked until the transaction ends. Lock it before any wallet, never after."""
    rows = Payment.objects.select_for_update(of=("self",), no_key=True)
    related = ("customer", "plan", "subscription", "collection", "method", "change__price__plan")
    return rows.select_related(*related).get(pk=payment_id)


def move(payment: Payment, to: Payment.Status, *, now: datetime, **changes: Any) -> None:
    """Move a locked payment to another state and save `changes` with it; raise IllegalMove if MOVES forbids it."""
    origin = Status(payment.status)
    if to not in MOVES[origin]:
        raise IllegalMove(f"{payment}: {origin} -> {to}")
    if to not in OPEN:
        changes["check_at"] = None
    changes |= {"status": to, "updated_at": now}
    if Payment.objects.filter(pk=payment.pk, status=origin).update(**changes) != 1:
        raise IllegalMove(f"{payment}: {origin} -> {to}, but it was not {origin} any more")
    for name, value in changes.items():
        setattr(payment, name, value)
    if payment.collection is not None:
        # What becomes of its collection is decided in the next run (payments.collection.plans).
        plan = CollectionPlan.objects.filter(pk=payment.collection.wallet_id, parked_reason="")
        plan.update(check_at=now)


def credit(
    payment: Payment, received: Money, *, now: datetime, author: User | None = None, description: str = ""
) -> None:
    """Confirm the payment and credit the wallet with what was received.

    The money pays the debt, then starts the subscription this payment is for, then revives the suspended ones, then
    makes the change that it is for. A subscription that has ended in the meantime stays ended; the money is in the
    wallet anyway. Another sum than was asked for, which staff have accepted, is a top-up and starts nothing.
    """
    with books.open(payment.customer, received.currency, now=now) as book:
        book.top_up(
            received.amount,
            key=f"payment:{payment.public_id}",
            source=f"gateway_clearing:{payment.gateway}",
            description=description or payment.own_description,
            first=_live_subscription(payment) if received == payment.money and not payment.is_for_change else None,
            author=author,
        )
        if payment.is_for_change:
            paid_changes.carry_out(payment, book, obstacle=_obstacle(payment, received))
    if payment.parked_reason:
        # While it was parked, the bank may have taken back what is credited only now (payments.disputes).
        payment.disputes.filter(withdrawn_at=None).exclude(status=Dispute.Status.WON).update(check_at=now)
    taken: dict[str, Any] = {"amount_received": received.amount, "received_currency": received.currency}
    taken |= {"billed_to": asdict(billing_details.current(payment.customer))}
    move(payment, Status.CONFIRMED, now=now, confirmed_at=now, failure_code="", parked_reason="", **taken)
    record_event(payment, "confirmed", now=now)


def close(
    payment: Payment, to: Payment.Status, *, now: datetime, failure_code: str = "", ends_order: bool = False
) -> None:
    """End the payment without money as failed, cancelled or expired. Its order goes on waiting for another payment.

    With `ends_order=True` the customer has given it up: the subscription that the checkout opened is cancelled.
    """
    code = truncation.cut(Payment, "failure_code", failure_code)
    move(payment, to, now=now, failure_code=code, parked_reason="")
    record_event(payment, to.value, now=now)
    if ends_order and payment.opened_subscription and payment.subscription_id is not None:
        _cancel_pending(payment, payment.subscription_id, now=now)


def give_up(payment: Payment, *, now: datetime, ends_order: bool = False) -> None:
    """Mark an open payment whose page its gateway cannot close: nobody wants it any more, and the page ends by itself.

    Money that still comes is credited. With `ends_order=True` the subscription that the checkout opened is cancelled.
    """
    payment.confirmation_url, payment.closing_at = "", payment.closing_at or now
    payment.check_at = next_check(payment.created_at, expires_at=payment.expires_at, after=now)
    payment.save(update_fields=["confirmation_url", "closing_at", "check_at"])
    if ends_order and payment.opened_subscription and payment.subscription_id is not None:
        _cancel_pending(payment, payment.subscription_id, now=now)


def park(payment: Payment, reason: str, *, now: datetime, received: Money | None = None) -> None:
    """Hold the payment for staff: the gateway took something other than we requested. Credit nothing.

    `received` is what it took, if that is known; staff accept that or send it back (payments.mismatches).
    """
    reason = truncation.cut(Payment, "parked_reason", reason)
    if payment.parked_reason == reason:
        return
    changes: dict[str, Any] = {"parked_reason": reason, "check_at": None}
    if received is not None:
        changes |= {"amount_received": received.amount, "received_currency": received.currency}
    if payment.status == Status.UNKNOWN:
        changes["updated_at"] = now
        Payment.objects.filter(pk=payment.pk).update(**changes)
        for name, value in changes.items():
            setattr(payment, name, value)
    else:
        move(payment, Status.UNKNOWN, now=now, **changes)
    record_event(payment, "parked", now=now)


def wait(payment: Payment, status: Payment.Status, *, now: datetime, latest: datetime | None = None) -> None:
    """Keep an open payment open, `pending` or `unknown`, and set its next check. A parked payment waits for staff.

    The next check is by its age, but not later than `latest`.
    """
    if payment.parked_reason:
        return
    if payment.status != status:
        move(payment, status, now=now)
    check_at = next_check(payment.created_at, expires_at=payment.expires_at, after=now)
    payment.check_at = min(check_at, latest) if latest else check_at
    payment.save(update_fields=["check_at"])


def record_event(payment: Payment, kind: str, *, now: datetime) -> None:
    """Record the event `payment.<kind>` with the data that a receipt or an email needs."""
    data = {
        "amount": {"value": payment.money.plain(), "currency": payment.currency},
        "status": payment.status,
        "gateway": payment.gateway,
        "subscription": payment.subscription.public_id if payment.subscription else None,
    }
    if payment.is_for_change:
        data["change"] = paid_changes.describe(payment.change)
    if payment.collection is not None:
        data |= {"collection": payment.collection.public_id, "method": str(payment.method)}
    outbox.record([outbox.Fact(payment.customer_id, f"payment.{kind}", payment.public_id, now, data)])


def next_check(created_at: datetime, *, expires_at: datetime | None, after: datetime) -> datetime:
    """Return the first instant later than `after` at which to check the row. `expires_at`, if any, is never skipped."""
    ages = [created_at + age for age in CHECK_AGES] + ([expires_at] if expires_at else [])
    daily = created_at + ((after - created_at) // DAY + 1) * DAY
    return min(instant for instant in [*ages, daily] if instant > after)


def _obstacle(payment: Payment, received: Money) -> str:
    """Return why the change that the payment is for is not made, if the payment itself is the reason."""
    if received != payment.money:
        return paid_changes.OTHER_AMOUNT
    is_given_up = payment.status not in OPEN or payment.closing_at is not None
    return paid_changes.TOO_LATE if is_given_up else ""


def _live_subscription(payment: Payment) -> Subscription | None:
    """Return the subscription the payment is for unless it has ended. Call it under the wallet's lock."""
    if payment.subscription_id is None:
        return None
    return Subscription.objects.filter(pk=payment.subscription_id).exclude(status__in=FINAL_SUBSCRIPTION).first()


def _cancel_pending(payment: Payment, subscription_id: int, *, now: datetime) -> None:
    """Cancel the subscription if it is still pending as ordered and has no other open payment.

    A customer who has changed its plan since still wants it: it waits for a payment of its own.
    """
    others = Payment.objects.filter(subscription_id=subscription_id, status__in=OPEN, closing_at=None)
    if others.exclude(pk=payment.pk).exists():
        return
    with books.open(payment.customer, payment.currency, now=now) as book:
        pending = Subscription.objects.filter(pk=subscription_id, status=Subscription.Status.PENDING)
        waiting = pending.filter(price__plan=payment.plan).first()
        if waiting:
            book.cancel(waiting)
