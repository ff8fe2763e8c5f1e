"""Reconciliation of open payments with their gateways: claim those that are due, check, close or expire them.

Any number of workers may run this at the same time; each payment is claimed by one of them.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F

from core import retry
from core.errors import DomainError
from payments import confirmation, open_orders, sessions, transitions
from payments.gateways import registry
from payments.gateways.base import GatewayError, Snapshot, State
from payments.models import Payment

# A claim lasts this long. If its worker dies, the payment becomes due again.
LEASE = timedelta(minutes=2)
# The most payments that one run handles.
BATCH = 200


def check_due(*, now: datetime) -> int:
    """Check every due payment that has not expired yet at its gateway; return how many were checked.

    Those whose subscription has started or ended in another way are due at once: their pages are closed.
    """
    open_orders.mark_ended(now=now)
    for done in range(BATCH):
        payment = claim_one(now=now, expires_at__gt=now)
        if payment is None:
            return done
        check(payment, now=now)
    return BATCH


def expire_due(*, now: datetime) -> int:
    """Expire every due payment that is past its time; return how many were handled."""
    for done in range(BATCH):
        payment = claim_one(now=now, expires_at__lte=now)
        if payment is None:
            return done
        expire(payment, now=now)
    return BATCH


def claim_one(*, now: datetime, **which: Any) -> Payment | None:
    """Claim the open payment that has been due longest and commit the claim; None if there is none left.

    `which` are further filters of the queryset. Payments that another worker has locked are skipped.
    """
    due = Payment.objects.filter(check_at__lte=now, status__in=transitions.OPEN, **which).order_by("check_at")
    with transaction.atomic():
        payment = due.select_for_update(skip_locked=True, of=("self",), no_key=True).first()
        if payment:
            Payment.objects.filter(pk=payment.pk).update(check_at=now + LEASE, checks=F("checks") + 1)
    return payment


def check(payment: Payment, *, now: datetime) -> Payment:
    """Check one payment at its gateway and return it; close its page if nobody wants it any more.

    If the gateway never answered with a payment page, request the page again with the same key.
    """
    if payment.closing_at is not None:
        return _close(payment, Payment.Status.CANCELLED, now=now)
    if payment.gateway_id is not None:
        return confirmation.confirm(payment.pk, now=now)
    try:
        return sessions.open_page(payment, now=now)
    except DomainError:
        # open_page has saved the outcome.
        return Payment.objects.get(pk=payment.pk)


def expire(payment: Payment, *, now: datetime) -> Payment:
    """Close the payment at its gateway and apply the answer: already paid, still being processed, or expired."""
    return _close(payment, Payment.Status.EXPIRED, now=now)


def _close(payment: Payment, to: Payment.Status, *, now: datetime) -> Payment:
    """Close the payment's page at its gateway and apply the answer; `to` is what it becomes if nobody has paid."""
    if payment.gateway_id is None:
        return _close_unopened(payment.pk, to, now=now)
    return confirmation.apply(payment.pk, _answer(payment, payment.gateway_id, to), now=now)


def _answer(payment: Payment, gateway_id: str, to: Payment.Status) -> Snapshot | GatewayError:
    """Cancel the payment at the gateway and return its answer, with `to` in place of `cancelled`."""
    try:
        snapshot = registry.get(payment.gateway).cancel(gateway_id)
    except GatewayError as error:
        return error
    if snapshot.state is State.CANCELLED:
        return Snapshot(gateway_id=gateway_id, state=State(to.value))
    return snapshot


@retry.retried
def _close_unopened(payment_id: int, to: Payment.Status, *, now: datetime) -> Payment:
    """Close a payment that has no page at the gateway yet, so nobody can have paid it."""
    with transaction.atomic():
        payment = transitions.lock(payment_id)
        if payment.status in transitions.OPEN and payment.gateway_id is None:
            transitions.close(payment, to, now=now)
    return payment
