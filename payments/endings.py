"""The ends of a payment: its money arrived, it ended without money, or staff must look. Callers hold its row's lock.

Never asks a gateway; what the gateway said is decided on in payments.confirmation.
"""

from datetime import datetime

from payments import notices, states
from payments.models import Payment
from subscriptions import books
from subscriptions.models import Subscription

Status = Payment.Status
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
    states.move(payment, Status.CONFIRMED, now=now, confirmed_at=now, failure_code="", parked_reason="")
    notices.tell(payment, "confirmed", now=now)


def close(payment: Payment, to: Payment.Status, *, now: datetime, failure_code: str = "") -> None:
    """End it without money: failed, cancelled or expired. What only this checkout had opened is cancelled."""
    states.move(payment, to, now=now, failure_code=failure_code, parked_reason="")
    notices.tell(payment, to.value, now=now)
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
        states.move(payment, Status.UNKNOWN, now=now, **changes)
    notices.tell(payment, "parked", now=now)


def _still_wanted(payment: Payment) -> Subscription | None:
    """The subscription it was for, read under the wallet's lock, unless it has ended."""
    if payment.subscription_id is None:
        return None
    return Subscription.objects.filter(pk=payment.subscription_id).exclude(status__in=FINAL_SUBSCRIPTION).first()


def _give_up(payment: Payment, subscription_id: int, *, now: datetime) -> None:
    """Cancel the subscription if it is still pending and no other payment may yet be made for it."""
    others = Payment.objects.filter(subscription_id=subscription_id, status__in=states.OPEN).exclude(pk=payment.pk)
    if others.exists():
        return
    with books.open(payment.customer, payment.currency, now=now) as book:
        waiting = Subscription.objects.filter(pk=subscription_id, status=Subscription.Status.PENDING).first()
        if waiting:
            book.cancel(waiting)
