"""Transfers: opening and cancelling them, and their state. The caller passes the time."""

import unicodedata
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q, Sum

from core.errors import DomainError
from payments.gateways.manual import references
from payments.gateways.manual.models import ManualTransfer
from payments.gateways.sessions import SessionRequest, State

Status = ManualTransfer.Status
# How often a new reference number is drawn if the one before is taken.
DRAWS = 5


class TransferRefused(DomainError):
    """What staff ask for does not fit the transfer, its receipts or its refunds. `detail` says why."""

    code = "transfer_refused"


class TransferChanged(TransferRefused):
    """The transfer is not as staff saw it: look again, then decide."""


def open_for(request: SessionRequest, *, now: datetime) -> ManualTransfer:
    """Return the transfer of this request's key, a new one if there is none."""
    for draw in range(DRAWS):
        try:
            transfer, _ = ManualTransfer.objects.get_or_create(
                idempotency_key=request.idempotency_key,
                defaults={
                    "reference": references.new(),
                    "amount": request.amount,
                    "currency": request.currency,
                    "description": request.description[:200],
                    "customer": request.customer[:64],
                    "return_url": request.return_url,
                    "language": request.language,
                    "created_at": now,
                    "expires_at": now + timedelta(days=settings.MANUAL_PAGE_DAYS),
                },
            )
        except IntegrityError:
            # The reference number is taken.
            if draw == DRAWS - 1:
                raise
        else:
            return transfer
    raise AssertionError("the last draw returns or raises")


def cancel(transfer_id: str, *, now: datetime) -> ManualTransfer:
    """Cancel a transfer for which nothing has arrived, and return it; any other is returned as it is."""
    with transaction.atomic():
        transfer = lock(transfer_id)
        if state_at(transfer, now) is State.OPEN:
            transfer.status, transfer.closed_at = Status.CANCELLED, now
            transfer.save(update_fields=["status", "closed_at"])
    return transfer


def state_at(transfer: ManualTransfer, now: datetime) -> State:
    """Return the transfer's state in the gateway protocol. It expires without a write."""
    if transfer.status == Status.RECEIVED:
        return State.SUCCEEDED
    if transfer.status == Status.CANCELLED:
        return State.CANCELLED
    if arrived(transfer):
        return State.PROCESSING
    return State.EXPIRED if transfer.expires_at <= now else State.OPEN


def arrived(transfer: ManualTransfer) -> int:
    """Return the sum that has arrived."""
    total = transfer.receipts.filter(voided_at__isnull=True).aggregate(sum=Sum("amount"))["sum"]
    return int(total or 0)


def counted(transfer: ManualTransfer) -> int:
    """Return the sum with which a received transfer counts: what has arrived, and what was taken back since."""
    receipts = transfer.receipts.filter(Q(voided_at__isnull=True) | Q(is_taken_back=True))
    return int(receipts.aggregate(sum=Sum("amount"))["sum"] or 0)


def lock(transfer_id: str) -> ManualTransfer:
    """Lock and return a transfer. Whatever changes it, its receipts or its refunds holds this lock."""
    return ManualTransfer.objects.select_for_update().get(transfer_id=transfer_id)


def normalized(bank_reference: str) -> str:
    """Return a bank's reference in the form in which it is compared: case and spaces do not matter."""
    return "".join(unicodedata.normalize("NFKC", bank_reference).split()).upper()
