"""The states of a payment and the one table of moves between them. The database holds it too, by a trigger."""

from datetime import datetime, timedelta
from typing import Any

from events import outbox
from payments.models import Payment
from subscriptions import books
from subscriptions.models import Subscription

Status = Payment.Status

OPEN = frozenset({Status.PENDING, Status.UNKNOWN})
_ENDED = frozenset({Status.CONFIRMED, Status.FAILED, Status.CANCELLED, Status.EXPIRED})

# From each state to those it may move to. `confirmed` is final. The moves out of `failed`, `cancelled` and `expired`
# are made on the gateway's word only: money came late (confirmed), or money came that is not what we asked for
# (unknown, with a reason, for staff).
MOVES: dict[Status, frozenset[Status]] = {
    Status.PENDING: _ENDED | {Status.UNKNOWN},
    Status.UNKNOWN: _ENDED | {Status.PENDING},
    Status.FAILED: frozenset({Status.CONFIRMED, Status.UNKNOWN}),
    Status.CANCELLED: frozenset({Status.CONFIRMED, Status.UNKNOWN}),
    Status.EXPIRED: frozenset({Status.CONFIRMED, Status.UNKNOWN}),
    Status.CONFIRMED: frozenset(),
}


class IllegalMove(Exception):
    """A move that the table does not have: an error of ours, never of the customer's."""


def lock(payment_id: int) -> Payment:
    """Read a payment under its row's lock, for the rest of the transaction. Before any wallet, never after."""
    rows = Payment.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("customer", "plan", "subscription").get(pk=payment_id)


def move(payment: Payment, to: Payment.Status, *, now: datetime, **changes: Any) -> None:
    """Move a locked payment to another state and write `changes` with it; raise IllegalMove for any other move."""
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


FINAL_SUBSCRIPTION = (Subscription.Status.CANCELLED, Subscription.Status.EXPIRED)


def credit(payment: Payment, *, now: datetime) -> None:
    """Confirm the payment and credit the wallet, which revives what waits, first of all what was paid for.

    A subscription that the customer has given up meanwhile stays so: the money is in the wallet all the same.
    """
    with books.open(payment.customer, payment.currency, now=now) as book:
        book.top_up(
            payment.amount,
            key=f"payment:{payment.public_id}",
            source=f"gateway_clearing:{payment.gateway}",
            description=payment.description,
            first=_still_wanted(payment),
        )
    move(payment, Status.CONFIRMED, now=now, confirmed_at=now, failure_code="", parked_reason="")
    tell(payment, "confirmed", now=now)


def close(payment: Payment, to: Payment.Status, *, now: datetime, failure_code: str = "") -> None:
    """End it without money: failed, cancelled or expired. What only this checkout had opened is cancelled."""
    move(payment, to, now=now, failure_code=failure_code, parked_reason="")
    tell(payment, to.value, now=now)
    if payment.opened_subscription and payment.subscription_id is not None:
        _give_up(payment, payment.subscription_id, now=now)


def park(payment: Payment, reason: str, *, now: datetime) -> None:
    """Hold it for staff: money moved at the gateway that is not what we asked for. Nothing is credited."""
    if payment.parked_reason == reason:
        return
    changes = {"parked_reason": reason, "check_at": None}
    if payment.status == Status.UNKNOWN:
        Payment.objects.filter(pk=payment.pk).update(**changes, updated_at=now)
        payment.parked_reason, payment.check_at, payment.updated_at = reason, None, now
    else:
        move(payment, Status.UNKNOWN, now=now, **changes)
    tell(payment, "parked", now=now)


def _still_wanted(payment: Payment) -> Subscription | None:
    """The subscription it was for, read under the wallet's lock, unless it has ended."""
    if payment.subscription_id is None:
        return None
    return Subscription.objects.filter(pk=payment.subscription_id).exclude(status__in=FINAL_SUBSCRIPTION).first()


def _give_up(payment: Payment, subscription_id: int, *, now: datetime) -> None:
    """Cancel the subscription if it is still pending and no other payment may yet be made for it."""
    others = Payment.objects.filter(subscription_id=subscription_id, status__in=OPEN).exclude(pk=payment.pk)
    if others.exists():
        return
    with books.open(payment.customer, payment.currency, now=now) as book:
        waiting = Subscription.objects.filter(pk=subscription_id, status=Subscription.Status.PENDING).first()
        if waiting:
            book.cancel(waiting)


def tell(payment: Payment, kind: str, *, now: datetime) -> None:
    """Write `payment.<kind>` with what a receipt or a mail needs to say."""
    data = {
        "amount": {"value": payment.money.plain(), "currency": payment.currency},
        "status": payment.status,
        "gateway": payment.gateway,
        "subscription": payment.subscription.public_id if payment.subscription else None,
    }
    outbox.record([outbox.Fact(payment.customer_id, f"payment.{kind}", payment.public_id, now, data)])


# Ages of the payment at which it is asked about; after the last one, once a day for as long as it is open.
AGES = (
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=6),
)
DAY = timedelta(days=1)


def next_check(created_at: datetime, *, expires_at: datetime, after: datetime) -> datetime:
    """Return the first instant later than `after` at which to ask. The instant of expiry is always one of them."""
    ages = [created_at + age for age in AGES] + [expires_at]
    daily = created_at + ((after - created_at) // DAY + 1) * DAY
    return min(instant for instant in [*ages, daily] if instant > after)
