"""Refunds of transfers: asked for by the gateway, carried out by staff, who then mark them as sent or failed.

payments.bank_transfers calls this and then has the refund of the payment asked about. Nothing here knows of it.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from accounts.models import User
from core.normalization import UNSTORABLE
from payments.gateways.aftermath import RefundRequest
from payments.gateways.errors import GatewayError
from payments.gateways.manual import transfers
from payments.gateways.manual.models import ManualRefund, ManualTransfer
from payments.gateways.manual.transfers import TransferRefused

Status = ManualRefund.Status


def request(transfer: ManualTransfer, asked: RefundRequest, *, now: datetime) -> ManualRefund:
    """Return the refund of this request's key, a new one if there is none.

    Raises GatewayError, permanent, for more than is left, for a transfer without money, or for a key that was used for
    another refund.
    """
    with transaction.atomic():
        transfer = transfers.lock(transfer.transfer_id)
        refund = find(asked.idempotency_key)
        if refund is not None:
            if (refund.transfer_id, refund.amount) != (transfer.pk, asked.amount):
                raise _refused("idempotency_key_reused", "This key was used for another refund.")
            return refund
        if transfer.status != ManualTransfer.Status.RECEIVED or transfer.currency != asked.currency:
            raise _refused("nothing_to_refund", "No money in this currency has been received for this transfer.")
        gone = transfer.refunds.exclude(status=Status.FAILED).aggregate(sum=Sum("amount"))["sum"] or 0
        if not 0 < asked.amount <= transfers.arrived(transfer) - gone:
            raise _refused("refund_exceeds_payment", "More than is left of the transfer.")
        return ManualRefund.objects.create(
            transfer=transfer,
            idempotency_key=asked.idempotency_key,
            amount=asked.amount,
            description=asked.description[:300],
            created_at=now,
        )


def find(idempotency_key: str) -> ManualRefund | None:
    """Return the refund with this key, if there is one."""
    return ManualRefund.objects.select_related("transfer").filter(idempotency_key=idempotency_key).first()


def mark_sent(refund: ManualRefund, *, bank_reference: str, by: User, now: datetime) -> ManualRefund:
    """Record that staff have sent the money, under this number of the bank. Raises TransferRefused."""
    reference = transfers.normalized(bank_reference)
    if not 0 < len(reference) <= 64 or UNSTORABLE.search(reference):
        raise TransferRefused(
            _("Give the bank's number of the operation, or the number of the cash voucher: 1 to 64 characters."),
            param="bank_reference",
        )
    return _close(refund, Status.SENT, by=by, now=now, bank_reference=reference)


def mark_failed(refund: ManualRefund, *, reason: str, by: User, now: datetime) -> ManualRefund:
    """Record that the money cannot be sent back: it returns to the customer's balance. Raises TransferRefused."""
    if not reason.strip():
        raise TransferRefused(_("Give a reason."), param="reason")
    return _close(refund, Status.FAILED, by=by, now=now, failure_reason=reason.strip()[:200])


def _close(refund: ManualRefund, status: Status, *, by: User, now: datetime, **more: str) -> ManualRefund:
    """Close a pending refund; one closed in the same way already is returned as it is."""
    with transaction.atomic():
        transfers.lock(refund.transfer.transfer_id)
        refund = ManualRefund.objects.select_related("transfer").get(pk=refund.pk)
        if refund.status == Status.PENDING:
            refund.status, refund.closed_at, refund.closed_by = status, now, by
            for name, value in more.items():
                setattr(refund, name, value)
            refund.save()
        elif refund.status != status or any(getattr(refund, name) != value for name, value in more.items()):
            words = {"status": refund.get_status_display()}
            raise TransferRefused(_("This refund is closed already: %(status)s.") % words)
    return refund


def _refused(code: str, detail: str) -> GatewayError:
    return GatewayError(detail, permanent=True, code=code)
