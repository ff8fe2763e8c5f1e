"""Reconciliation of what is open with the gateways: payments, refunds, disputes and pages that save a method are asked
about when they are due, and methods that customers have removed are removed there.

Any number of workers may run this at the same time (payments.sweeps).
"""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from core import retry
from core.errors import DomainError
from payments import (
    confirmation,
    disputes,
    methods,
    open_orders,
    refunds,
    sessions,
    setups,
    sweeps,
    transitions,
    turns,
)
from payments.collection import attempts
from payments.gateways import registry
from payments.gateways.errors import GatewayError
from payments.gateways.sessions import Snapshot, State
from payments.models import Dispute, MethodSetup, Payment, PaymentMethod, Refund


def due_gateways(*, now: datetime) -> list[str]:
    """Return the names of the gateways at which something is due."""
    models: tuple[Any, ...] = (Payment, Refund, Dispute, PaymentMethod, MethodSetup)
    found = (rows.objects.filter(check_at__lte=now).values_list("gateway", flat=True).distinct() for rows in models)
    return sorted(set().union(*found))


def check_gateway(gateway: str, *, now: datetime, seconds: float = float("inf")) -> int:
    """Ask one gateway about everything that is due there; return how many rows were handled.

    For each kind of row it begins no call after so many seconds, and none while the breaker refuses them: what is left
    stays due, and is not counted as asked.
    """
    kinds: tuple[tuple[QuerySet[Any], sweeps.Act, sweeps.Park], ...] = (
        (Payment.objects.filter(status__in=transitions.OPEN), _check_or_expire, _park_payment),
        (Refund.objects.select_related("payment"), _check_refund, _park),
        (Dispute.objects.all(), _check_dispute, _park),
        (PaymentMethod.objects.all(), _remove_method, _park),
        (MethodSetup.objects.select_related("customer"), setups.check, _park),
    )
    return sum(
        sweeps.sweep(rows.filter(gateway=gateway), act, now=now, park=park, goes_on=turns.lasting(gateway, seconds))
        for rows, act, park in kinds
    )


def check_all(*, now: datetime) -> int:
    """Ask every gateway, one after the other, about what is due there; return how many rows were handled.

    Payments whose subscription has started or ended in another way are due at once: their pages are closed.
    """
    open_orders.mark_ended(now=now)
    return sum(check_gateway(gateway, now=now) for gateway in due_gateways(now=now))


def check(payment: Payment, *, now: datetime) -> Payment:
    """Check one payment at its gateway and return it; close its page if nobody wants it any more.

    If the gateway never answered with a payment page, request the page again with the same key. A charge without an
    answer is looked for instead.
    """
    if payment.closing_at is not None:
        return _close(payment, Payment.Status.CANCELLED, now=now)
    if payment.gateway_id is not None:
        return confirmation.confirm(payment.pk, now=now)
    if payment.is_charge:
        return attempts.resolve(payment, now=now)
    try:
        return sessions.open_page(payment, now=now)
    except DomainError:
        # open_page has saved the outcome.
        return Payment.objects.get(pk=payment.pk)


def expire(payment: Payment, *, now: datetime) -> Payment:
    """Close the payment at its gateway and apply the answer: already paid, still being processed, or expired."""
    return _close(payment, Payment.Status.EXPIRED, now=now)


def _check_or_expire(payment: Payment, at: datetime) -> None:
    if payment.expires_at <= at:
        expire(payment, now=at)
    else:
        check(payment, now=at)


def _check_refund(refund: Refund, at: datetime) -> None:
    refunds.send(refund, now=at)


def _check_dispute(dispute: Dispute, at: datetime) -> None:
    """Ask about a dispute. Without an answer it is asked again at its next time, as a refund is."""
    try:
        disputes.refresh(dispute.gateway, dispute.gateway_id, now=at)
    except GatewayError:
        again = transitions.next_check(dispute.created_at, expires_at=None, after=at)
        Dispute.objects.filter(pk=dispute.pk).update(check_at=again)


def _remove_method(method: PaymentMethod, at: datetime) -> None:
    methods.forget(method, now=at)


def _park_payment(payment: Payment, reason: str, at: datetime) -> None:
    with transaction.atomic():
        payment = transitions.lock(payment.pk)
        if payment.status in transitions.OPEN:
            transitions.park(payment, reason, now=at)


def _park(row: Refund | Dispute | PaymentMethod | MethodSetup, reason: str, _at: datetime) -> None:
    """Stop asking about a row until staff ask."""
    type(row).objects.filter(pk=row.pk).update(parked_reason=reason, check_at=None)


def _close(payment: Payment, to: Payment.Status, *, now: datetime) -> Payment:
    """Close the payment's page at its gateway and apply the answer; `to` is what it becomes if nobody has paid."""
    if payment.gateway_id is None and payment.is_charge:
        return attempts.resolve(payment, now=now)
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
