"""What staff do about bank transfers and cash, with what follows from it at once.

Each act changes the tables of payments.gateways.manual and posts to the bank account in one transaction. Then the
payment or the refund is asked about on the same path as by the sweep, so that the customer sees it without waiting.
Every act may be repeated: the second time it changes nothing, and makes up for what a crash has left out.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import User
from core import retry
from ledger.money import Money
from payments import confirmation, discrepancies, gateway_refunds, mismatches, payouts, refunds, transitions
from payments.gateways import registry
from payments.gateways.manual import bank_movements, receipts, transfers
from payments.gateways.manual import refunds as manual_refunds
from payments.gateways.manual.gateway import Manual, of_receipt
from payments.gateways.manual.models import ManualReceipt, ManualRefund, ManualTransfer
from payments.gateways.manual.receipts import Voiding
from payments.gateways.manual.transfers import TransferRefused
from payments.models import Payment, Refund

GATEWAY = Manual.name


class Done(NamedTuple):
    """An act that was done: the payment or refund that it was about, None if there is none.

    `is_news` is False if it had been done before.
    """

    row: Payment | Refund | None
    is_news: bool


class Arrival(NamedTuple):
    """Money that arrived, as staff read it on the bank statement or the cash voucher."""

    money: Money
    received_on: date
    bank_reference: str
    # What the payer wrote as the purpose of the payment.
    note: str = ""


def record(
    transfer: ManualTransfer, arrival: Arrival, *, by: User, now: datetime, accepts: bool = False, reason: str = "",
    seen: int | None = None,
) -> Done:  # fmt: skip
    """Record money that arrived for a transfer.

    With `accepts=True` nothing more is expected, and what has arrived is credited as a top-up if it is not the sum that
    was asked for; the customer reads the reason. Otherwise less waits for the rest, and more waits for a decision.
    `seen` is the sum that had arrived when staff looked, in minor units. Raises TransferRefused, TransferChanged.
    """
    receipts.check_currency(transfer, arrival.money.currency)
    receipt = _posted(transfer, arrival, by=by, now=now, is_complete=True if accepts else None, seen=seen)
    payment = _ask(transfer, now=now)
    if accepts and payment is not None:
        payment = _accept(payment, by=by, reason=reason, now=now)
    return Done(payment, receipt.recorded_at == now)


def complete(
    transfer: ManualTransfer, *, by: User, now: datetime, accepts: bool, reason: str, seen: int | None = None
) -> Done:
    """Say that nothing more will arrive for a transfer that was paid in part.

    With `accepts=True` what has arrived is credited as a top-up. Otherwise the payment waits for a decision: accept it
    or send it back. `seen` is as for `record`. Raises TransferRefused, TransferChanged.
    """
    with transaction.atomic():
        if seen is not None:
            receipts.check_seen(transfer, seen)
        transfer = receipts.complete(transfer, by=by, now=now)
    payment = _ask(transfer, now=now)
    if accepts and payment is not None:
        payment = _accept(payment, by=by, reason=reason, now=now)
    return Done(payment, transfer.closed_at == now)


def void(receipt: ManualReceipt, *, reason: str, by: User, now: datetime, seen: int | None = None) -> Done:
    """Void a receipt that was recorded by mistake.

    If its transfer is complete and the money waits for a decision, the transfer waits for money again. If the money was
    credited, it is taken back like a refund that was made at a gateway: the wallet pays as far as it goes, and the rest
    is a debt. `seen` is as for `record`. Raises TransferRefused, TransferChanged.
    """
    # Makes up for a crash after the record: what becomes of the payment must be known.
    _ask(receipt.transfer, now=now)
    receipt = _voided(receipt, reason=reason, by=by, now=now, seen=seen)
    return Done(_ask(receipt.transfer, now=now), receipt.voided_at == now)


@retry.retried
def mark_sent(refund: ManualRefund, *, bank_reference: str, by: User, now: datetime) -> Done:
    """Record that staff have sent a refund, under this number of the bank. Raises TransferRefused."""
    with transaction.atomic():
        refund = manual_refunds.mark_sent(refund, bank_reference=bank_reference, by=by, now=now)
        payouts.record(GATEWAY, bank_movements.of_refund(refund), now=now, author=by)
    return Done(_ask_refund(refund, now=now), refund.closed_at == now)


def mark_failed(refund: ManualRefund, *, reason: str, by: User, now: datetime) -> Done:
    """Record that a refund cannot be sent: the money returns to the balance. Raises TransferRefused."""
    refund = manual_refunds.mark_failed(refund, reason=reason, by=by, now=now)
    return Done(_ask_refund(refund, now=now), refund.closed_at == now)


def payment_of(transfer: ManualTransfer) -> Payment | None:
    """Return the payment of a transfer; None if the transfer was not opened by a payment of this site."""
    rows = Payment.objects.filter(gateway=GATEWAY).select_related("customer", "plan", "subscription")
    by_id = rows.filter(gateway_id=transfer.transfer_id).first()
    return by_id or rows.filter(gateway_id=None, public_id=transfer.idempotency_key).first()


def transfer_of(payment: Payment) -> ManualTransfer | None:
    """Return the transfer of a payment; None for a payment at another gateway, or without a page."""
    return transfers_of([payment]).get(payment.pk)


def transfers_of(payments: Iterable[Payment]) -> dict[int, ManualTransfer]:
    """Return the transfers of those payments that have one, by the payment's primary key: one query, or none."""
    ids = {each.gateway_id: each.pk for each in payments if each.gateway == GATEWAY and each.gateway_id}
    found = ManualTransfer.objects.filter(transfer_id__in=ids) if ids else []
    return {ids[transfer.transfer_id]: transfer for transfer in found}


def refund_of(refund: ManualRefund) -> Refund | None:
    """Return our refund that staff must carry out by this one."""
    rows = Refund.objects.filter(gateway=GATEWAY, public_id=refund.idempotency_key)
    return rows.select_related("payment__customer", "payment__plan").first()


@retry.retried
def _posted(
    transfer: ManualTransfer, arrival: Arrival, *, by: User, now: datetime, is_complete: bool | None, seen: int | None
) -> ManualReceipt:
    """Record the receipt and post its money to the bank account."""
    with transaction.atomic():
        if seen is not None:
            receipts.check_seen(transfer, seen, bank_reference=arrival.bank_reference)
        receipt = receipts.record(
            transfer, amount=arrival.money.amount, received_on=arrival.received_on,
            bank_reference=arrival.bank_reference, note=arrival.note, by=by, now=now, is_complete=is_complete,
        )  # fmt: skip
        payouts.record(GATEWAY, bank_movements.of_receipt(receipt), now=now, author=by)
    return receipt


@retry.retried
def _voided(receipt: ManualReceipt, *, reason: str, by: User, now: datetime, seen: int | None) -> ManualReceipt:
    """Void the receipt, take its money from the bank account, and from the customer who has got it."""
    with transaction.atomic():
        transfer = transfers.lock(receipt.transfer.transfer_id)
        receipt = ManualReceipt.objects.select_related("transfer").get(pk=receipt.pk)
        if receipt.voided_at is not None:
            return receipt
        if seen is not None:
            receipts.check_seen(transfer, seen, is_open=False)
        payment = payment_of(transfer)
        once_complete = _once_complete(receipt, transitions.lock(payment.pk) if payment else None)
        receipt = receipts.void(receipt, reason=reason, by=by, now=now, once_complete=once_complete)
        payouts.record(GATEWAY, bank_movements.of_receipt(receipt), now=now, author=by)
        if payment is not None and receipt.is_taken_back:
            _take_back(receipt, payment, by=by, now=now)
        elif payment is not None and transfer.status == ManualTransfer.Status.RECEIVED:
            mismatches.withdraw(payment, now=now)
    return receipt


def _once_complete(receipt: ManualReceipt, payment: Payment | None) -> Voiding:
    """Return what is done about a complete transfer whose receipt is voided, by its locked payment, or refuse it."""
    if payment is None or (payment.parked_reason and not payment.amount_refunded):
        return Voiding.REOPENS
    if receipt.transfer.status == ManualTransfer.Status.RECEIVED and payment.refundable < receipt.amount:
        left = Money(payment.refundable, receipt.transfer.currency)
        raise TransferRefused(
            _("Only %(left)s of this payment has not been refunded, so the receipt cannot be voided.") % {"left": left}
        )
    return Voiding.TAKES_BACK


def _take_back(receipt: ManualReceipt, payment: Payment, *, by: User, now: datetime) -> None:
    """Take the money of a void receipt back from the customer, once."""
    with translation.override(payment.customer.language):
        reason = _("A bank transfer was recorded by mistake, so its money was taken back")
    gateway_refunds.record(GATEWAY, of_receipt(receipt), now=now, author=by, reason=reason, is_void=True)


def _ask(transfer: ManualTransfer, *, now: datetime) -> Payment | None:
    """Ask about the payment of a transfer, which may have lost the answer that opened the transfer."""
    payment = payment_of(transfer)
    if payment is None:
        return None
    if payment.gateway_id is None:
        snapshot = registry.get(GATEWAY).fetch(transfer.transfer_id)
        if discrepancies.is_adoptable(payment, snapshot):
            discrepancies.adopt(payment, snapshot, now=now)
    return confirmation.confirm(payment.pk, now=now)


def _accept(payment: Payment, *, by: User, reason: str, now: datetime) -> Payment:
    """Credit what a payment has brought, unless it was confirmed or decided already."""
    if not payment.parked_reason:
        return payment
    try:
        return mismatches.accept(payment, author=by, reason=reason, now=now)
    except mismatches.NotParked:
        return Payment.objects.get(pk=payment.pk)


def _ask_refund(refund: ManualRefund, *, now: datetime) -> Refund | None:
    ours = refund_of(refund)
    return refunds.send(ours, now=now) if ours else None
