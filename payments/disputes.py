"""Disputes: a payment that the customer's bank takes back. The gateway decides; we book what it did with the money.

The wallet pays up to its balance and the rest is a debt (docs/billing-rules.md, R4). A dispute that is won brings the
money back. While one is open or lost, its payment is not refunded as well (payments.refunds). What the gateway charges
for a dispute is a fee of the seller.
"""

from datetime import datetime

import structlog
from django.db import transaction
from django.utils.translation import gettext as _

import ledger
from core import retry
from events import outbox
from ledger.money import EXPONENTS
from payments import transitions
from payments.collection import consents
from payments.gateways import registry
from payments.gateways.aftermath import DisputeSnapshot, DisputeState
from payments.models import Dispute, Payment
from subscriptions import books

log = structlog.get_logger(__name__)
Status = Dispute.Status

# Each state with the states it may move to. A lost dispute may still be won on appeal. The database repeats the table
# in a trigger (migration 0005_refund_guards).
MOVES: dict[Dispute.Status, frozenset[Dispute.Status]] = {
    Status.OPEN: frozenset({Status.WON, Status.LOST}),
    Status.LOST: frozenset({Status.WON}),
    Status.WON: frozenset(),
}


class UnknownPayment(Exception):
    """The dispute is about a payment that we do not have (yet), or of which we have heard of no money (yet)."""


def refresh(gateway: str, gateway_id: str, *, now: datetime) -> Dispute:
    """Ask the gateway about one of its disputes, apply the answer and return the dispute.

    Call it with no transaction open. Raises GatewayError, UnknownPayment.
    """
    return apply(gateway, registry.get(gateway).fetch_dispute(gateway_id), now=now)


@retry.retried
def apply(gateway: str, snapshot: DisputeSnapshot, *, now: datetime) -> Dispute:
    """Apply the gateway's answer in one transaction and return the dispute; raise UnknownPayment.

    The dispute of a parked payment moves no money, since none was credited. If the money is accepted later, the sweep
    asks about the dispute at once (transitions.credit).
    """
    with transaction.atomic():
        payment = _lock_payment(gateway, snapshot)
        dispute = _row(payment, snapshot, now=now)
        to = Status(snapshot.state.value)
        if to != dispute.status and to in MOVES[Status(dispute.status)]:
            dispute.status, dispute.updated_at = to, now
            _record_event(dispute, to.value, now=now)
        elif dispute.status == Status.WON and to == Status.LOST:
            text = f"{gateway} calls it lost after it was won. Take {dispute.money} from the wallet by hand."
            dispute.parked_reason = text
            log.error("won_dispute_is_lost", dispute=dispute.public_id, gateway_id=dispute.gateway_id)
        is_missed = is_taken(snapshot) and dispute.withdrawn_at is None and dispute.status != Status.WON
        is_credited = payment.status == Payment.Status.CONFIRMED
        if is_missed and is_credited:
            _withdraw(dispute, now=now)
        if dispute.status == Status.WON and dispute.withdrawn_at is not None and dispute.returned_at is None:
            _give_back(dispute, now=now)
        if to == dispute.status and fee_differs(dispute, snapshot):
            _post_fee(dispute, snapshot, now=now)
        dispute.reason, dispute.answer_by = snapshot.reason[:60], snapshot.answer_by
        is_awaited = dispute.status == Status.OPEN or (is_missed and not is_credited)
        again = transitions.next_check(dispute.created_at, expires_at=None, after=now)
        dispute.check_at = again if is_awaited else None
        dispute.save()
    return dispute


def _lock_payment(gateway: str, snapshot: DisputeSnapshot) -> Payment:
    found = Payment.objects.filter(gateway=gateway, gateway_id=snapshot.payment).values_list("pk", flat=True).first()
    if found is None:
        raise UnknownPayment(f"No payment has the gateway id {snapshot.payment}.")
    payment = transitions.lock(found)
    if payment.status != Payment.Status.CONFIRMED and not payment.parked_reason:
        raise UnknownPayment(f"{payment.public_id} is not confirmed.")
    return payment


def _row(payment: Payment, snapshot: DisputeSnapshot, *, now: datetime) -> Dispute:
    """Return the dispute's row, created if it is new."""
    dispute, created = Dispute.objects.select_for_update(of=("self",), no_key=True).get_or_create(
        gateway=payment.gateway,
        gateway_id=snapshot.gateway_id,
        defaults={
            "payment": payment, "amount": snapshot.amount, "currency": snapshot.currency, "created_at": now,
            "updated_at": now,
        },
    )  # fmt: skip
    dispute.payment = payment
    if created:
        _record_event(dispute, "opened", now=now)
        consents.end_after_dispute(payment.customer_id, now=now)
    return dispute


def is_taken(snapshot: DisputeSnapshot) -> bool:
    """Tell whether the gateway has taken the money: some ask first. A lost one is taken in any case."""
    return snapshot.is_withdrawn or snapshot.state is DisputeState.LOST


def fee_differs(dispute: Dispute, snapshot: DisputeSnapshot) -> bool:
    """Tell whether the gateway keeps another fee for a dispute than we have posted. Pure."""
    is_known = snapshot.fee is not None and snapshot.fee_currency in EXPONENTS
    return is_known and snapshot.fee != dispute.fee and dispute.fee_currency in ("", snapshot.fee_currency)


def _withdraw(dispute: Dispute, *, now: datetime) -> None:
    """Take the money from the wallet, with a debt for the rest, and on to the gateway that has given it back."""
    key = f"dispute:{dispute.public_id}"
    with books.open(dispute.payment.customer, dispute.currency, now=now) as book:
        book.lose_dispute(dispute.amount, key=key, description=_("Taken back by your bank"))
    account = f"gateway_clearing:{dispute.gateway}"
    ledger.post([ledger.Entry(f"{key}:out", "disputes", account, dispute.amount, dispute.currency, "chargeback", now)])
    dispute.withdrawn_at = now
    dispute.parked_reason = _paid_twice(dispute)
    _record_event(dispute, "withdrawn", now=now)


def _paid_twice(dispute: Dispute) -> str:
    """Return what staff must know if more left than the payment brought, because of refunds; "" if not."""
    payment = dispute.payment
    if not payment.amount_refunded or dispute.currency != payment.received_currency:
        return ""
    if dispute.amount <= payment.refundable:
        return ""
    return f"{payment.refunded} of {payment.public_id} were refunded too, so it was paid back twice."


def _give_back(dispute: Dispute, *, now: datetime) -> None:
    """Bring the money of a won dispute back the same way: from the gateway to the wallet, which pays the debt first."""
    key = f"dispute:{dispute.public_id}"
    account = f"gateway_clearing:{dispute.gateway}"
    ledger.post(
        [ledger.Entry(f"{key}:back", account, "disputes", dispute.amount, dispute.currency, "chargeback_reversal", now)]
    )
    with books.open(dispute.payment.customer, dispute.currency, now=now) as book:
        book.top_up(
            dispute.amount, key=f"{key}:won", source="disputes", reason="chargeback_reversal",
            description=_("Returned by your bank"),
        )  # fmt: skip
    dispute.returned_at = now
    _record_event(dispute, "returned", now=now)


def _post_fee(dispute: Dispute, snapshot: DisputeSnapshot, *, now: datetime) -> None:
    """Post what the gateway has taken for a dispute since the last time, or has returned of it.

    The seller bears it: the customer's wallet is not touched.
    """
    change = (snapshot.fee or 0) - dispute.fee
    dispute.fee, dispute.fee_currency = dispute.fee + change, snapshot.fee_currency
    dispute.fee_changes += 1
    key, clearing = f"fee:{dispute.public_id}:{dispute.fee_changes}", f"gateway_clearing:{dispute.gateway}"
    debit, credit = ("gateway_fees", clearing) if change > 0 else (clearing, "gateway_fees")
    ledger.post([ledger.Entry(key, debit, credit, abs(change), dispute.fee_currency, "fee", now)])


def _record_event(dispute: Dispute, kind: str, *, now: datetime) -> None:
    """Record the event `dispute.<kind>`."""
    data = {
        "amount": {"value": dispute.money.plain(), "currency": dispute.currency},
        "payment": dispute.payment.public_id,
        "status": dispute.status,
        "reason": dispute.reason,
    }
    outbox.record([outbox.Fact(dispute.payment.customer_id, f"dispute.{kind}", dispute.public_id, now, data)])
