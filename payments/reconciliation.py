"""Asks the gateways about payments of which nobody has heard the end. The times are in payments.schedule."""

from datetime import datetime

from accounts.errors import DomainError
from payments import claims, confirmation, sessions
from payments.models import Payment

BATCH = 200


def check_due(*, now: datetime) -> int:
    """Ask about every open payment that is due and not yet past its time; return how many were asked about."""
    for done in range(BATCH):
        payment = claims.claim_one(now=now, expires_at__gt=now)
        if payment is None:
            return done
        check(payment, now=now)
    return BATCH


def check(payment: Payment, *, now: datetime) -> Payment:
    """Ask about one. Where the page was never opened for want of an answer, ask for it again with the same key."""
    if payment.gateway_id is not None:
        return confirmation.confirm(payment.pk, now=now)
    try:
        return sessions.open_page(payment, now=now)
    except DomainError:
        # It has written down what there is to know.
        return Payment.objects.get(pk=payment.pk)
