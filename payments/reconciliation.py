"""Which open payments are due to be asked about, shared out among any number of workers."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F

from core import retry
from core.errors import DomainError
from payments import confirmation, sessions, transitions
from payments.gateways import registry
from payments.gateways.base import GatewayError, Snapshot, State
from payments.models import Payment

# A claimed payment that nobody reported on comes up again after this: its worker is gone.
LEASE = timedelta(minutes=2)


def claim_one(*, now: datetime, **which: Any) -> Payment | None:
    """Take the open payment that is due longest, if there is one that no other worker has; commit the claim."""
    due = Payment.objects.filter(check_at__lte=now, status__in=transitions.OPEN, **which).order_by("check_at")
    with transaction.atomic():
        payment = due.select_for_update(skip_locked=True, of=("self",), no_key=True).first()
        if payment:
            Payment.objects.filter(pk=payment.pk).update(check_at=now + LEASE, checks=F("checks") + 1)
    return payment


BATCH = 200


def check_due(*, now: datetime) -> int:
    """Ask about every open payment that is due and not yet past its time; return how many were asked about."""
    for done in range(BATCH):
        payment = claim_one(now=now, expires_at__gt=now)
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


def expire_due(*, now: datetime) -> int:
    """Deal with every open payment that is past its time; return how many were looked at."""
    for done in range(BATCH):
        payment = claim_one(now=now, expires_at__lte=now)
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


@retry.retried
def _expire_unopened(payment_id: int, *, now: datetime) -> Payment:
    """Expire one whose page nobody has ever seen."""
    with transaction.atomic():
        payment = transitions.lock(payment_id)
        if payment.status in transitions.OPEN and payment.gateway_id is None:
            transitions.close(payment, Payment.Status.EXPIRED, now=now)
    return payment
