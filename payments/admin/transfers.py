"""Admin of bank transfers and cash: staff record what arrives, and close the refunds that they carry out."""

from typing import Any

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from core.admin import ReadOnlyMixin
from ledger.display import money
from payments import bank_transfers
from payments.admin.acts import ActAdmin
from payments.admin.transfer_forms import CompleteForm, FailedForm, RecordForm, SentForm, VoidForm
from payments.gateways.manual.admin import ManualReceiptAdmin, ManualRefundAdmin, ManualTransferAdmin
from payments.gateways.manual.models import ManualReceipt, ManualRefund, ManualTransfer
from payments.models import Payment


class OfTransferInline(ReadOnlyMixin, admin.TabularInline):
    """Rows of a transfer, each with a link to its own page."""

    extra = 0
    show_change_link = True
    ordering = ["-id"]
    readonly_fields = ["amount_shown"]

    @admin.display(description=_("amount"))
    def amount_shown(self, row: Any) -> str:
        """Return the amount with its currency."""
        return money(row.money)


class ReceiptInline(OfTransferInline):
    """What has arrived for a transfer."""

    model = ManualReceipt
    fields = ["amount_shown", "received_on", "bank_reference", "note", "recorded_by", "voided_at"]


class RefundInline(OfTransferInline):
    """The refunds of a transfer."""

    model = ManualRefund
    fields = ["status", "amount_shown", "description", "created_at", "closed_by"]


@admin.register(ManualTransfer)
class TransferActs(ActAdmin, ManualTransferAdmin):
    """Transfers, with the pages on which staff record money and complete them."""

    acts = {"record": RecordForm, "complete": CompleteForm}
    inlines = [ReceiptInline, RefundInline]
    fields = [
        "reference_shown", "payment_link", "customer", "description", "amount_shown", "arrived_shown", "status",
        "created_at", "expires_at", "closed_at", "completed_by", "transfer_id", "language",
    ]  # fmt: skip
    readonly_fields = ["payment_link", "reference_shown", "amount_shown", "arrived_shown", "transfer_id"]

    @admin.display(description=_("payment"))
    def payment_link(self, transfer: ManualTransfer) -> SafeString | str:
        """Return a link to the payment."""
        return _link(bank_transfers.payment_of(transfer)) or transfer.idempotency_key


@admin.register(ManualReceipt)
class ReceiptActs(ActAdmin, ManualReceiptAdmin):
    """Receipts, with the page on which staff void one."""

    acts = {"void": VoidForm}
    exclude = ["amount"]


@admin.register(ManualRefund)
class RefundActs(ActAdmin, ManualRefundAdmin):
    """Refunds, with the pages on which staff close one."""

    acts = {"sent": SentForm, "failed": FailedForm}
    exclude = ["amount", "idempotency_key"]
    readonly_fields = ["payment_link", "amount_shown"]

    @admin.display(description=_("payment"))
    def payment_link(self, refund: ManualRefund) -> SafeString | str:
        """Return a link to the payment."""
        ours = bank_transfers.refund_of(refund)
        return _link(ours.payment if ours else None)


def _link(payment: Payment | None) -> SafeString | str:
    if payment is None:
        return ""
    return format_html('<a href="{}">{}</a>', reverse("admin:payments_payment_change", args=[payment.pk]), payment)
