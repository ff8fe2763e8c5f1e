"""Payments whose time is over: closed at the gateway first, expired only when it says that nobody paid."""

from datetime import datetime

from django.db import transaction

import ledger.retrying
from payments import claims, confirmation, endings, states
from payments.gateways import registry
from payments.gateways.base import GatewayError, Snapshot, State
from payments.models import Payment

BATCH = 200


def expire_due(*, now: datetime) -> int:
    """Deal with every open payment that is past its time; return how many were looked at."""
    for done in range(BATCH):
        payment = claims.claim_one(now=now, expires_at__lte=now)
        if payment is None:
            return done
        expire(payment, now=now)
    return BATCH


def expire(payment: Payment, *, now: datetime) -> Payment:
    """Close it at the gateway and apply what that says: paid meanwhile, still being processed, or expired."""
    if payment.gateway_id is None:
        return _expire_unopened(payment.pk, now=now)
    return confirmation.apply(payment.pk, _closed(payment, payment.gateway_id), now=now)


def _closed(payment: Payment, gateway_id: str) -> Snapshot | GatewayError:
    """What the gateway says after it was told to take no more money. Cancelled because of time is `expired`."""
    try:
        snapshot = registry.get(payment.gateway).cancel(gateway_id)
    except GatewayError as error:
        return error
    if snapshot.state is State.CANCELLED:
        return Snapshot(gateway_id=gateway_id, state=State.EXPIRED)
    return snapshot


@ledger.retrying.retried
def _expire_unopened(payment_id: int, *, now: datetime) -> Payment:
    """Expire one whose page nobody has ever seen."""
    with transaction.atomic():
        payment = states.lock(payment_id)
        if payment.status in states.OPEN and payment.gateway_id is None:
            endings.close(payment, Payment.Status.EXPIRED, now=now)
    return payment
