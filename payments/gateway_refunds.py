"""Refunds at a gateway: ours, and those that staff made by hand on the gateway's own pages.

A refund that we did not ask for becomes a refund of ours as soon as we hear of it, from a webhook or from the daily
list. Its money has left already, so nothing is refused: the wallet pays as far as it goes, and the rest is a debt, as
for a dispute.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from core import retry
from ledger.money import Money
from payments import confirmation, refunds, transitions
from payments.gateways.aftermath import RefundSnapshot, RefundState
from payments.models import Dispute, Payment, Refund
from subscriptions import books


class NotRecorded(Exception):
    """The refund cannot be recorded (yet). The message says why, for staff."""


def record(gateway: str, snapshot: RefundSnapshot, *, now: datetime, **known: Any) -> Refund | None:
    """Apply the gateway's answer about a refund and return our row of it, a new one if it was made by hand there.

    `known` are fields of a new row, such as its author. Safe to repeat. None if it had failed before we heard of it:
    then no money has left. Call it with no transaction open, unless the payment has received its money. Raises
    NotRecorded.
    """
    refund = find(gateway, snapshot)
    if refund is None:
        if snapshot.state is RefundState.FAILED:
            return None
        refund = _adopt(_payment(gateway, snapshot, now=now), snapshot, now=now, **known)
    return refunds.apply(refund.pk, snapshot, now=now)


def find(gateway: str, snapshot: RefundSnapshot) -> Refund | None:
    """Return our row of a refund, None if we have none."""
    return match(snapshot, at_gateway(gateway, [snapshot]))


def at_gateway(gateway: str, snapshots: Iterable[RefundSnapshot]) -> list[Refund]:
    """Return our rows that may be these refunds, by one query."""
    ids = [snapshot.gateway_id for snapshot in snapshots]
    keys = [snapshot.idempotency_key for snapshot in snapshots if snapshot.idempotency_key]
    rows = Refund.objects.filter(Q(gateway_id__in=ids) | Q(public_id__in=keys), gateway=gateway)
    return list(rows.select_related("payment"))


def match(snapshot: RefundSnapshot, rows: Iterable[Refund]) -> Refund | None:
    """Return the row of a refund: the one whose id the gateway was given with it, or that has the gateway's id.

    A row that has the id of another refund is not it: the gateway then made two for one request. Nor is one that has
    failed without an id, whose money is back on the wallet: what the gateway made all the same is another one. Pure.
    """
    same = [row for row in rows if row.gateway_id == snapshot.gateway_id]
    asked = [
        row
        for row in rows
        if row.public_id == snapshot.idempotency_key and row.gateway_id is None and row.status != Refund.Status.FAILED
    ]
    return next(iter([*same, *asked]), None)


def _payment(gateway: str, snapshot: RefundSnapshot, *, now: datetime) -> Payment:
    """Return the payment that was refunded; ask about one whose money we have not heard of yet. Raises NotRecorded."""
    payment = Payment.objects.filter(gateway=gateway, gateway_id=snapshot.payment or None).first()
    if payment is None:
        raise NotRecorded(f"No payment has the gateway id {snapshot.payment or '-'}.")
    if payment.received is None:
        payment = confirmation.refresh(payment.pk, now=now)
    return payment


@retry.retried
def _adopt(payment: Payment, snapshot: RefundSnapshot, *, now: datetime, **known: Any) -> Refund:
    """Create the row of a refund that was made at the gateway, once, and take its money back from the wallet."""
    with transaction.atomic():
        payment = transitions.lock(payment.pk)
        earlier = find(payment.gateway, snapshot)
        if earlier is not None:
            return earlier
        money = _checked(payment, snapshot)
        fields = {"reason": _("Refund to your card or account")} | known
        refund = Refund.objects.create(
            payment=payment, amount=money.amount, currency=money.currency, destination=Refund.Destination.CARD,
            is_from_wallet=payment.status == Payment.Status.CONFIRMED, is_made_at_gateway=True,
            gateway=payment.gateway, gateway_id=snapshot.gateway_id, created_at=now, updated_at=now,
            check_at=transitions.next_check(now, expires_at=None, after=now), parked_reason=_paid_twice(payment),
            **fields,
        )  # fmt: skip
        if refund.is_from_wallet:
            with books.open(payment.customer, money.currency, now=now) as book:
                book.take_back(
                    money.amount, key=f"refund:{refund.public_id}", to=f"gateway_clearing:{refund.gateway}",
                    reason="refund", description=refund.reason,
                )  # fmt: skip
        refunds.record_event(refund, "created", now=now)
    return refund


def _checked(payment: Payment, snapshot: RefundSnapshot) -> Money:
    """Return what was refunded of a locked payment; raise NotRecorded if it does not fit what we know of it."""
    money = confirmation.readable(snapshot.amount, snapshot.currency)
    if money is None:
        raise NotRecorded(f"Refund {snapshot.gateway_id} has no amount that we can read.")
    is_parked = payment.status == Payment.Status.UNKNOWN and payment.received is not None
    if payment.status != Payment.Status.CONFIRMED and not is_parked:
        raise NotRecorded(f"{payment.public_id} is {payment.status}, so nothing of it can be refunded.")
    left = Money(payment.refundable, payment.received_currency)
    if money.currency != left.currency or money.amount > left.amount:
        raise NotRecorded(f"{money} was refunded, but only {left} of {payment.public_id} are left.")
    if is_parked and money != left:
        raise NotRecorded(f"{payment.public_id} is parked, and only {money} of {left} was sent back.")
    return money


def _paid_twice(payment: Payment) -> str:
    """Return what staff must know if the bank has taken the payment back too, "" if not: both are out and booked."""
    lost = Q(withdrawn_at__isnull=False) | Q(status=Dispute.Status.LOST)
    taken = payment.disputes.filter(lost, returned_at__isnull=True).exclude(status=Dispute.Status.WON)
    # A bank that only asks has taken nothing so far: a refund is the answer to it.
    return f"The bank has taken {payment.public_id} back too, so it was paid back twice." if taken.exists() else ""
