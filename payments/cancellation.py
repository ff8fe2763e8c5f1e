"""Cancelling a payment for its customer: at the gateway first, so that it can no longer be paid."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from core import retry
from core.errors import DomainError, Unavailable
from payments import confirmation, transitions
from payments.gateways import registry
from payments.gateways.errors import GatewayError
from payments.gateways.sessions import Snapshot, State
from payments.models import Payment

Status = Payment.Status


class NotCancellable(DomainError):
    """The payment is not pending. `state` is its status."""

    code = "payment_not_pending"


def cancel(payment: Payment, *, now: datetime) -> Payment:
    """Cancel a pending payment and, if its checkout opened a subscription, that order; return the payment.

    If its gateway cannot close the page, the payment stays pending with `closing_at` until the page ends by itself.
    Raises NotCancellable in any other state. That includes a payment that turns out to be paid: it is confirmed
    instead. Raises Unavailable if the gateway does not answer, and then cancels nothing.
    """
    if payment.status != Status.PENDING:
        raise _refusal(payment)
    snapshot = close_page(payment)
    if snapshot is None and payment.is_charge:
        raise _refusal(payment)
    if snapshot is None:
        return _cancel_unopened(payment.pk, now=now)
    if ends_by_itself(payment, snapshot):
        return _give_up(payment.pk, now=now)
    payment = confirmation.apply(payment.pk, snapshot, now=now, ends_order=True)
    if payment.status != Status.CANCELLED:
        raise _refusal(payment)
    return payment


def close_page(payment: Payment) -> Snapshot | None:
    """Close the payment's page at its gateway and return the gateway's answer; None if it has no page yet.

    Call it with no transaction open. Raises Unavailable if the gateway does not answer.
    """
    if payment.gateway_id is None:
        return None
    try:
        return registry.get(payment.gateway).cancel(payment.gateway_id)
    except GatewayError as error:
        raise Unavailable(
            _("The gateway did not answer, so the payment is not cancelled. Try again in a minute.")
        ) from error


def is_out_of_reach(payment: Payment, error: Unavailable, *, now: datetime) -> bool:
    """Tell whether a page that could not be closed keeps nobody from paying elsewhere: its time is over, or its gateway
    does not know it, has no keys any more or those of the other mode. `error` is from `close_page`.
    """
    cause = error.__cause__
    is_lost = isinstance(cause, GatewayError) and (cause.permanent or registry.cannot_tell(payment.gateway, cause))
    return is_lost or now >= payment.expires_at


def ends_by_itself(payment: Payment, snapshot: Snapshot) -> bool:
    """Tell whether the payment's page is still open, by the gateway's answer, and its gateway cannot close pages."""
    is_open = snapshot.state in (State.OPEN, State.REQUIRES_ACTION)
    return is_open and not registry.can(payment.gateway).cancels_pages


@retry.retried
def _give_up(payment_id: int, *, now: datetime) -> Payment:
    """Mark an open payment whose page ends by itself, and end its order."""
    with transaction.atomic():
        payment = transitions.lock(payment_id)
        if payment.status not in transitions.OPEN or payment.parked_reason:
            raise _refusal(payment)
        transitions.give_up(payment, now=now, ends_order=True)
    return payment


@retry.retried
def _cancel_unopened(payment_id: int, *, now: datetime) -> Payment:
    """Cancel a payment that has no gateway id yet: nobody has seen its page, so nobody can pay it."""
    with transaction.atomic():
        payment = transitions.lock(payment_id)
        if payment.status != Status.PENDING or payment.gateway_id is not None:
            raise _refusal(payment)
        transitions.close(payment, Status.CANCELLED, now=now, ends_order=True)
    return payment


def _refusal(payment: Payment) -> NotCancellable:
    if payment.status == Status.PENDING:
        text = _("You can cancel only a pending payment that has not been paid. The bank is processing %(id)s.")
    else:
        text = _("You can cancel only a pending payment that has not been paid. %(id)s is %(status)s.")
    return NotCancellable(
        text % {"id": payment.public_id, "status": payment.status},
        param="payment_id",
        state=payment.status,
    )
