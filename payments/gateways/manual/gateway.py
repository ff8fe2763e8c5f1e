"""The manual gateway: it implements the gateway protocol over the tables in which staff record transfers."""

from collections.abc import Iterator
from datetime import datetime

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone, translation

from ledger.money import exponent_of
from payments.gateways.aftermath import PayoutSnapshot, RefundRequest, RefundSnapshot, RefundState
from payments.gateways.base import Capabilities
from payments.gateways.errors import GatewayError
from payments.gateways.manual import bank_movements, details, refunds, transfers
from payments.gateways.manual.models import ManualReceipt, ManualRefund, ManualTransfer
from payments.gateways.mixins import NoDisputes, NoMethods, NoWebhooks
from payments.gateways.sessions import Session, SessionRequest, Snapshot, State

# The least and the most of one transfer, in major units.
LEAST, MOST = 1, 10_000_000
# The id of the refund that stands for a receipt which was taken back begins so.
TAKEN_BACK = "void_"
REFUND_STATES = {
    ManualRefund.Status.PENDING: RefundState.PENDING,
    ManualRefund.Status.SENT: RefundState.SUCCEEDED,
    ManualRefund.Status.FAILED: RefundState.FAILED,
}


class Manual(NoDisputes, NoMethods, NoWebhooks):
    """Implements payments.gateways.base.Gateway. It needs no network. Transfers go straight to the seller's account."""

    name = "manual"

    @property
    def can(self) -> Capabilities:
        return Capabilities(
            currencies={
                currency: (LEAST * 10 ** exponent_of(currency), MOST * 10 ** exponent_of(currency))
                for currency in details.currencies()
            },
            signs_webhooks=False,
            is_manual=True,
        )

    def is_configured(self) -> bool:
        return bool(settings.MANUAL_DETAILS)

    def problems(self) -> list[str]:
        days = [] if 1 <= settings.MANUAL_PAGE_DAYS <= 366 else ["MANUAL_PAGE_DAYS must be from 1 to 366"]
        return details.problems() + days

    def create_session(self, request: SessionRequest) -> Session:
        if not self.can.takes(request.currency, request.amount):
            raise GatewayError("We take no such transfer.", permanent=True, code="amount_not_taken")
        transfer = transfers.open_for(request, now=_now())
        if (transfer.amount, transfer.currency) != (request.amount, request.currency):
            raise GatewayError("This key was used for another amount.", permanent=True, code="idempotency_key_reused")
        with translation.override(transfer.language):
            path = reverse("manual_transfer", args=[transfer.transfer_id])
        return Session(
            gateway_id=transfer.transfer_id,
            confirmation_url=f"{settings.SITE_URL}{path}",
            expires_at=transfer.expires_at,
        )

    def fetch(self, gateway_id: str) -> Snapshot:
        return _snapshot(_find(gateway_id), now=_now())

    def cancel(self, gateway_id: str) -> Snapshot:
        now = _now()
        return _snapshot(transfers.cancel(_find(gateway_id).transfer_id, now=now), now=now)

    def refund(self, request: RefundRequest) -> RefundSnapshot:
        return _refund_snapshot(refunds.request(_find(request.gateway_id), request, now=_now()))

    def find_refund(self, request: RefundRequest) -> RefundSnapshot | None:
        refund = refunds.find(request.idempotency_key)
        return _refund_snapshot(refund) if refund else None

    def fetch_refund(self, gateway_id: str) -> RefundSnapshot:
        if receipt := receipts_taken_back().filter(pk=_receipt_of(gateway_id)).first():
            return of_receipt(receipt)
        refund = ManualRefund.objects.select_related("transfer").filter(refund_id=gateway_id).first()
        if refund is None:
            raise GatewayError("There is no such refund.", permanent=True, code="not_found")
        return _refund_snapshot(refund)

    def list_payments(self, *, since: datetime, until: datetime) -> Iterator[Snapshot]:
        found = ManualTransfer.objects.filter(created_at__gte=since, created_at__lt=until).order_by("created_at", "id")
        now = _now()
        for transfer in found.iterator(chunk_size=500):
            yield _snapshot(transfer, now=now)

    def list_refunds(self, *, since: datetime, until: datetime) -> Iterator[RefundSnapshot]:
        found = ManualRefund.objects.filter(created_at__gte=since, created_at__lt=until).select_related("transfer")
        for refund in found.order_by("created_at", "id").iterator(chunk_size=500):
            yield _refund_snapshot(refund)
        taken_back = receipts_taken_back().filter(voided_at__gte=since, voided_at__lt=until)
        for receipt in taken_back.order_by("voided_at", "id").iterator(chunk_size=500):
            yield of_receipt(receipt)

    def fetch_payout(self, gateway_id: str) -> PayoutSnapshot | None:
        raise GatewayError("What a transfer moved is listed only.", permanent=True, code="not_supported")

    def list_payouts(self, *, since: datetime, until: datetime) -> Iterator[PayoutSnapshot]:
        """Yield what receipts and refunds have moved on the seller's bank account: nobody pays it out later."""
        yield from bank_movements.between(since, until)


def _find(gateway_id: str) -> ManualTransfer:
    transfer = ManualTransfer.objects.filter(transfer_id=gateway_id).first()
    if transfer is None:
        raise GatewayError("There is no such transfer.", permanent=True, code="not_found")
    return transfer


def _snapshot(transfer: ManualTransfer, *, now: datetime) -> Snapshot:
    state = transfers.state_at(transfer, now)
    is_paid = state is State.SUCCEEDED
    return Snapshot(
        gateway_id=transfer.transfer_id,
        state=state,
        amount=transfers.counted(transfer) if is_paid else None,
        currency=transfer.currency if is_paid else None,
        fee=0 if is_paid else None,
        fee_currency=transfer.currency if is_paid else "",
        idempotency_key=transfer.idempotency_key,
        created_at=transfer.created_at,
    )


def _refund_snapshot(refund: ManualRefund) -> RefundSnapshot:
    state = REFUND_STATES[ManualRefund.Status(refund.status)]
    return RefundSnapshot(
        gateway_id=refund.refund_id,
        state=state,
        failure_code="not_sent" if state is RefundState.FAILED else "",
        amount=refund.amount,
        currency=refund.transfer.currency,
        payment=refund.transfer.transfer_id,
        idempotency_key=refund.idempotency_key,
        created_at=refund.created_at,
    )


def receipts_taken_back() -> QuerySet[ManualReceipt]:
    """Return the receipts that were voided after their money had been credited."""
    return ManualReceipt.objects.filter(is_taken_back=True).select_related("transfer")


def of_receipt(receipt: ManualReceipt) -> RefundSnapshot:
    """Return a receipt that was taken back, as the refund that staff have made of it."""
    return RefundSnapshot(
        gateway_id=f"{TAKEN_BACK}{receipt.pk}",
        state=RefundState.SUCCEEDED,
        amount=receipt.amount,
        currency=receipt.transfer.currency,
        payment=receipt.transfer.transfer_id,
        created_at=receipt.voided_at,
    )


def _receipt_of(refund_id: str) -> int:
    """Return the primary key of the receipt that a refund has taken back; 0 for a refund that was sent."""
    number = refund_id.removeprefix(TAKEN_BACK)
    return int(number) if number != refund_id and number.isdecimal() else 0


def _now() -> datetime:
    """Return the time: here the gateway is the remote party, which has a clock of its own."""
    return timezone.now()  # noqa: TID251
