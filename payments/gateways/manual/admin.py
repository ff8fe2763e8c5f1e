"""Read-only lists of transfers, receipts and refunds. payments.admin.transfers registers them, with what staff do."""

from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, Subquery, Sum
from django.utils.translation import gettext_lazy as _

from core.admin import ReadOnlyAdmin
from core.list_filters import present
from ledger.amounts_admin import AmountMixin, currency_filter
from ledger.display import money
from ledger.money import Money
from payments.gateways.manual import references
from payments.gateways.manual.models import ManualReceipt, ManualTransfer


class ManualTransferAdmin(AmountMixin, ReadOnlyAdmin):
    """Transfers. Those that are open wait for money."""

    list_display = ["reference_shown", "amount_shown", "arrived_shown", "status", "description", "created_at"]
    list_filter = ["status", currency_filter(), "created_at"]
    search_fields = ["=reference", "=transfer_id", "=idempotency_key", "=customer", "receipts__bank_reference"]
    search_help_text = _("Reference number, bank reference, or id of the transfer, the payment or the customer")
    readonly_fields = ["reference_shown", "amount_shown", "arrived_shown"]

    def get_queryset(self, request: Any) -> Any:
        """Return the rows with the sum that has arrived for each."""
        kept = ManualReceipt.objects.filter(transfer=OuterRef("pk"), voided_at=None).order_by()
        total = kept.values("transfer").annotate(sum=Sum("amount")).values("sum")
        return super().get_queryset(request).annotate(total=Subquery(total))

    def get_search_results(self, request: Any, queryset: Any, search_term: str) -> Any:
        """Find a reference number however it is spaced."""
        return super().get_search_results(request, queryset, references.parse(search_term) or search_term)

    @admin.display(description=_("reference number"), ordering="reference")
    def reference_shown(self, transfer: ManualTransfer) -> str:
        """Return the reference number in groups."""
        return references.written(transfer.reference)

    @admin.display(description=_("arrived"))
    def arrived_shown(self, transfer: Any) -> str:
        """Return the sum that has arrived."""
        return money(Money(int(transfer.total or 0), transfer.currency))


class ManualReceiptAdmin(AmountMixin, ReadOnlyAdmin):
    """What arrived, as staff recorded it."""

    list_display = ["bank_reference", "amount_shown", "transfer", "received_on", "recorded_by", "voided_at"]
    list_filter = [present("voided_at", _("voided")), "received_on"]
    list_select_related = ["transfer", "recorded_by"]
    search_fields = ["bank_reference", "=transfer__reference", "=transfer__transfer_id"]
    readonly_fields = ["amount_shown"]


class ManualRefundAdmin(AmountMixin, ReadOnlyAdmin):
    """Refunds. Those that are pending wait for staff to send the money."""

    list_display = ["refund_id", "amount_shown", "transfer", "status", "description", "created_at", "closed_by"]
    list_filter = ["status", "created_at"]
    list_select_related = ["transfer", "closed_by"]
    search_fields = ["=refund_id", "=idempotency_key", "=bank_reference", "=transfer__reference"]
    readonly_fields = ["amount_shown"]
