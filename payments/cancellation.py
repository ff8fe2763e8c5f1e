"""Cancelling a payment on the customer's word: at the gateway first, so that it cannot be paid any more."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from core import retry
from core.errors import DomainError, Unavailable
from payments import confirmation, transitions
from payments.gateways import registry
from payments.gateways.base import GatewayError
from payments.models import Payment

Status = Payment.Status


class NotCancellable(DomainError):
    """It is not pending. `state` says how it stands."""

    code = "payment_not_pending"


def cancel(payment: Payment, *, now: datetime) -> Payment:
    """Cancel a pending payment and return it.

    Raises NotCancellable in any other state, also when it turns out that the customer has paid meanwhile: then it is
    confirmed instead. Raises Unavailable when the gateway does not answer; nothing was cancelled then.
    """
    if payment.status != Status.PENDING:
        raise _refusal(payment)
    if payment.gateway_id is None:
        return _cancel_unopened(payment.pk, now=now)
    try:
        snapshot = registry.get(payment.gateway).cancel(payment.gateway_id)
    except GatewayError as error:
        raise Unavailable(
            _("The gateway did not answer; the payment was not cancelled. Try again in a minute.")
        ) from error
    payment = confirmation.apply(payment.pk, snapshot, now=now)
    if payment.status != Status.CANCELLED:
        raise _refusal(payment)
    return payment


@retry.retried
def _cancel_unopened(payment_id: int, *, now: datetime) -> Payment:
    """Cancel one that the gateway has not told us a name for: nobody has seen its page, so nobody can pay it."""
    with transaction.atomic():
        payment = transitions.lock(payment_id)
        if payment.status != Status.PENDING or payment.gateway_id is not None:
            raise _refusal(payment)
        transitions.close(payment, Status.CANCELLED, now=now)
    return payment


def _refusal(payment: Payment) -> NotCancellable:
    if payment.status == Status.PENDING:
        said = _(
            "Only a pending payment that nobody has paid yet can be cancelled; %(id)s is being processed by the bank."
        )
    else:
        said = _("Only a pending payment that nobody has paid yet can be cancelled; %(id)s is %(status)s.")
    return NotCancellable(
        said % {"id": payment.public_id, "status": payment.status},
        param="payment_id",
        state=payment.status,
    )
