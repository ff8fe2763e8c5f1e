"""Admin of bank transfers and cash: staff record what arrives, and close the refunds that they carry out."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from core.lists import link_to
from events.admin.review import ActAdmin
from payments import bank_transfers
from payments.admin.lists import AmountInline, link_to_payment
from payments.admin.transfer_forms import CompleteForm, FailedForm, RecordForm, SentForm, VoidForm
from payments.gateways.manual.admin import ManualReceiptAdmin, ManualRefundAdmin, ManualTransferAdmin
from payments.gateways.manual.models import ManualReceipt, ManualRefund, ManualTransfer


class ReceiptInline(AmountInline):
    """What has arrived for a transfer."""

    model = ManualReceipt
    fields = ["amount_shown", "received_on", "bank_reference", "note", "recorded_by", "voided_at"]


class RefundInline(AmountInline):
    """The refunds of a transfer."""

    model = ManualRefund
    fields = ["status", "amount_shown", "description", "created_at", "closed_by"]


@admin.register(ManualTransfer)
class TransferActs(ActAdmin, ManualTransferAdmin):
    """Transfers, with the pages on which staff record money and complete them."""

    acts = {"record": RecordForm, "complete": CompleteForm}
    inlines = [ReceiptInline, RefundInline]
    fields = [
        "reference_shown", "payment_link", "customer_link", "description", "amount_shown", "arrived_shown", "status",
        "created_at", "expires_at", "closed_at", "completed_by", "transfer_id", "language",
    ]  # fmt: skip
    readonly_fields = [
        "payment_link", "customer_link", "reference_shown", "amount_shown", "arrived_shown", "transfer_id",
    ]  # fmt: skip

    @admin.display(description=_("payment"))
    def payment_link(self, transfer: ManualTransfer) -> str:
        """Return a link to the payment."""
        return link_to_payment(bank_transfers.payment_of(transfer)) or transfer.idempotency_key

    @admin.display(description=_("customer"))
    def customer_link(self, transfer: ManualTransfer) -> str:
        """Return a link to the customer; their id if they are unknown."""
        payment = bank_transfers.payment_of(transfer)
        if payment is None:
            return transfer.customer
        return link_to(payment.customer)


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
    def payment_link(self, refund: ManualRefund) -> str:
        """Return a link to the payment."""
        ours = bank_transfers.refund_of(refund)
        return link_to_payment(ours.payment if ours else None)
