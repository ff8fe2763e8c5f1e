"""Receipts: staff record what arrived for a transfer, and say when it is complete.

payments.bank_transfers calls this and then has the payment asked about. Nothing here knows of that payment.
"""

from datetime import date, datetime, timedelta
from enum import StrEnum

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from core.normalization import UNSTORABLE
from ledger.money import LARGEST
from payments.gateways.manual import transfers
from payments.gateways.manual.models import ManualReceipt, ManualTransfer
from payments.gateways.manual.transfers import TransferChanged, TransferRefused

# Money of an earlier year than this was never received here: the year is mistyped.
FIRST_YEAR = 2000
Status = ManualTransfer.Status


class Voiding(StrEnum):
    """What becomes of a complete transfer whose receipt is voided."""

    REFUSED = "refused"
    # It waits for money again: nothing of it was credited.
    REOPENS = "reopens"
    # It goes on counting as paid, and the same sum counts as refunded.
    TAKES_BACK = "takes_back"


def record(
    transfer: ManualTransfer,
    *,
    amount: int,
    received_on: date,
    bank_reference: str,
    by: User,
    now: datetime,
    is_complete: bool | None = None,
    note: str = "",
) -> ManualReceipt:
    """Record money that arrived, in minor units of the transfer's currency, and return the receipt.

    `is_complete` says that nothing more is expected; by default the transfer is complete once the sum asked for has
    arrived. A complete transfer counts with what has arrived, be it less or more. Money for an expired or cancelled
    transfer is recorded too. The same receipt again returns the first. `note` is what the payer wrote. Raises
    TransferRefused.
    """
    reference = _checked(amount, received_on, bank_reference, note, now=now)
    with transaction.atomic():
        transfer = transfers.lock(transfer.transfer_id)
        earlier = ManualReceipt.objects.filter(bank_reference=reference, voided_at__isnull=True).first()
        if earlier and (earlier.transfer_id, earlier.amount) == (transfer.pk, amount):
            return earlier
        if transfer.status == Status.RECEIVED:
            raise TransferRefused(
                _("This transfer is complete already. Credit what came later to the customer's balance instead.")
            )
        receipt = _save(
            ManualReceipt(
                transfer=transfer,
                amount=amount,
                received_on=received_on,
                bank_reference=reference,
                note=note.strip(),
                recorded_by=by,
                recorded_at=now,
            )
        )
        if is_complete is None:
            is_complete = transfers.arrived(transfer) >= transfer.amount
        _close(transfer, by=by if is_complete else None, now=now)
    return receipt


def complete(transfer: ManualTransfer, *, by: User, now: datetime) -> ManualTransfer:
    """Say that nothing more is expected: the transfer counts with what has arrived. Raises TransferRefused."""
    with transaction.atomic():
        transfer = transfers.lock(transfer.transfer_id)
        if transfer.status != Status.RECEIVED:
            if not transfers.arrived(transfer):
                raise TransferRefused(_("Nothing has arrived for this transfer."))
            _close(transfer, by=by, now=now)
    return transfer


def void(
    receipt: ManualReceipt, *, reason: str, by: User, now: datetime, once_complete: Voiding = Voiding.REFUSED
) -> ManualReceipt:
    """Void a receipt that was recorded by mistake, and return it. Its bank reference can be used again.

    `once_complete` says what happens if its transfer is complete already. Raises TransferRefused.
    """
    with transaction.atomic():
        transfer = transfers.lock(receipt.transfer.transfer_id)
        receipt = ManualReceipt.objects.select_related("transfer").get(pk=receipt.pk)
        if receipt.voided_at is not None:
            return receipt
        if not reason.strip():
            raise TransferRefused(_("Give a reason."), param="reason")
        if transfer.status == Status.RECEIVED:
            match once_complete:
                case Voiding.REFUSED:
                    raise TransferRefused(_("This transfer is complete, so its receipts cannot be voided any more."))
                case Voiding.REOPENS:
                    _close(transfer, by=None, now=now)
                case Voiding.TAKES_BACK:
                    receipt.is_taken_back = True
        receipt.voided_at, receipt.voided_by, receipt.void_reason = now, by, reason.strip()[:200]
        receipt.save(update_fields=["voided_at", "voided_by", "void_reason", "is_taken_back"])
    return receipt


def check_currency(transfer: ManualTransfer, currency: str) -> None:
    """Raise TransferRefused unless the money is in the transfer's currency."""
    if currency != transfer.currency:
        words = {"expected": transfer.currency, "sent": currency}
        raise TransferRefused(
            _("This transfer is in %(expected)s. Money in %(sent)s cannot be recorded for it.") % words,
            param="currency",
        )


def check_seen(transfer: ManualTransfer, seen: int, *, bank_reference: str | None = None, is_open: bool = True) -> None:
    """Lock a transfer and raise TransferChanged if another sum has arrived than staff saw, in minor units.

    Call it in the transaction of what staff decided then. A receipt that is recorded already is no change: the same
    click came twice. Nor is a transfer that is complete meanwhile, if the act is for open ones (`is_open`).
    """
    transfer = transfers.lock(transfer.transfer_id)
    is_repeated = (
        bank_reference is not None
        and transfer.receipts.filter(
            bank_reference=transfers.normalized(bank_reference), voided_at__isnull=True
        ).exists()
    )
    if (is_open and transfer.status == Status.RECEIVED) or is_repeated:
        return
    if transfers.arrived(transfer) != seen:
        raise TransferChanged(_("Somebody has changed this transfer meanwhile. Check the new figures."))


def _checked(amount: int, received_on: date, bank_reference: str, note: str, *, now: datetime) -> str:
    """Return the bank's reference in the form in which it is kept; raise TransferRefused for what cannot be true."""
    if not 0 < amount <= LARGEST:
        raise TransferRefused(_("The amount must be above zero."), param="amount")
    # A day of tolerance, because the date is that of the bank's time zone.
    if received_on > (now + timedelta(days=1)).date():
        raise TransferRefused(_("The date is in the future."), param="received_on")
    if received_on.year < FIRST_YEAR:
        raise TransferRefused(_("The date must be in %d or later.") % FIRST_YEAR, param="received_on")
    if len(note.strip()) > 200 or UNSTORABLE.search(note):
        raise TransferRefused(_("The payer's note can have at most 200 characters."), param="note")
    reference = transfers.normalized(bank_reference)
    if not 0 < len(reference) <= 64 or UNSTORABLE.search(reference):
        raise TransferRefused(
            _("Give the bank's number of the operation, or the number of the cash voucher: 1 to 64 characters."),
            param="bank_reference",
        )
    return reference


def _save(receipt: ManualReceipt) -> ManualReceipt:
    """Save a new receipt; raise TransferRefused if another one has its bank reference."""
    try:
        with transaction.atomic():
            receipt.save()
    except IntegrityError as error:
        other = ManualReceipt.objects.filter(bank_reference=receipt.bank_reference, voided_at__isnull=True).first()
        if other is None:
            raise
        words = {"reference": receipt.bank_reference, "amount": other.money, "transfer": other.transfer}
        raise TransferRefused(
            _("%(reference)s is recorded already: %(amount)s for the transfer %(transfer)s.") % words,
            param="bank_reference",
        ) from error
    return receipt


def _close(transfer: ManualTransfer, *, by: User | None, now: datetime) -> None:
    """Mark a transfer as received; with nobody who says so, as open, which a cancelled one becomes again."""
    transfer.status, transfer.completed_by = (Status.RECEIVED if by else Status.OPEN), by
    transfer.closed_at = now if by else None
    transfer.save(update_fields=["status", "completed_by", "closed_at"])
