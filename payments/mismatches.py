"""The two exits of a parked payment, for which the gateway took something other than was asked for.

Staff accept what was taken as a top-up, or send it back. Until then nothing of it is credited.
"""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from core import retry
from core.errors import DomainError
from payments import open_orders, refunds, transitions
from payments.models import Payment, Refund


class NotParked(DomainError):
    """The payment does not wait for staff, or nothing is known to have been taken."""

    code = "payment_not_parked"
    param = "payment_id"


@retry.retried
def accept(payment: Payment, *, author: User, now: datetime, reason: str = "") -> Payment:
    """Credit what was taken as a top-up, confirm the payment and return it. Its order waits on.

    The customer reads the reason beside the transaction. Raises NotParked. A second call at the same time finds it
    confirmed and raises too.
    """
    with transaction.atomic():
        payment = _lock(payment.pk)
        assert payment.received is not None
        transitions.credit(payment, payment.received, now=now, author=author, description=reason)
    return payment


def send_back(payment: Payment, *, author: User, now: datetime, reason: str = "") -> Refund:
    """Refund all that was taken at the gateway, without touching the wallet, and return the refund.

    Once the gateway has sent it, the payment is `cancelled`. If the refund fails, the payment goes on waiting for
    staff. Raises NotParked, refunds.RefundRefused.
    """
    return refunds.send(create_return(payment, author=author, reason=reason, now=now), now=now)


@retry.retried
def create_return(payment: Payment, *, author: User, now: datetime, reason: str = "") -> Refund:
    """Create and commit the refund of all that was taken, to be sent afterwards. Raises NotParked, RefundRefused."""
    with transaction.atomic():
        payment = _lock(payment.pk)
        refunds.check_card(payment, None)
        refund = Refund(
            payment=payment, amount=payment.refundable, currency=payment.received_currency, is_from_wallet=False,
            reason=reason, author=author,
        )  # fmt: skip
        refunds.record(refund, now=now)
    return refund


def withdraw(payment: Payment, *, now: datetime) -> None:
    """Let a locked, parked payment wait for its money again: what the gateway had reported was a mistake.

    Nothing was credited. Only staff who record the money themselves know that it never came.
    """
    Payment.objects.filter(pk=payment.pk).update(amount_received=None, received_currency="")
    open_orders.unpark(payment.pk, now=now)


def _lock(payment_id: int) -> Payment:
    """Return the locked payment; raise NotParked if it has no such exit, or is on its way out already."""
    payment = transitions.lock(payment_id)
    if not payment.parked_reason or payment.received is None:
        raise NotParked(_("%s does not wait for a decision.") % payment.public_id, state=payment.status)
    if payment.amount_refunded:
        raise NotParked(_("%s is being sent back.") % payment.public_id, state=payment.status)
    return payment
