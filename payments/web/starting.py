"""From a paying form to the gateway's page, or to the payment's own page when the gateway has none to show."""

from collections.abc import Callable

from django.shortcuts import resolve_url

from accounts.errors import DomainError
from payments.models import Payment


def onward(payment: Payment) -> str:
    """Return where a customer goes on with this payment."""
    if payment.status == Payment.Status.PENDING and payment.confirmation_url:
        return payment.confirmation_url
    return resolve_url("payment", payment.public_id)


def started(start: Callable[[], Payment]) -> str:
    """Start a payment and return where to go on; raise DomainError for what the form must show."""
    try:
        return onward(start())
    except DomainError as error:
        payment_id = error.extra.get("payment_id")
        if payment_id is None:
            raise
        return resolve_url("payment", payment_id)
