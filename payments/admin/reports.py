"""Read-only admin of the comparison with gateways, and of their payouts."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from core.admin import ReadOnlyAdmin
from ledger.display import money
from payments.models import Discrepancy, GatewayReport, Payout


class DiscrepancyInline(admin.TabularInline):
    """What a report found, on its page."""

    model = Discrepancy
    fields = ("subject", "kind", "gateway_id", "payment", "ours", "theirs", "is_mended", "outcome")
    readonly_fields = fields
    ordering = ["is_mended", "id"]
    extra = 0
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(GatewayReport)
class GatewayReportAdmin(ReadOnlyAdmin):
    """The daily reports. One that is not complete could not ask its gateway about everything."""

    list_display = [
        "started_at", "gateway", "since", "until", "is_complete", "payments_there", "payments_here", "refunds_there",
        "disputes_there", "mended", "left", "fees_posted", "payouts_posted",
    ]  # fmt: skip
    list_filter = ["gateway", "started_at"]
    inlines = [DiscrepancyInline]

    @admin.display(description=_("complete"), boolean=True)
    def is_complete(self, report: GatewayReport) -> bool:
        """Return whether all lists of the gateway were complete."""
        return report.is_complete


@admin.register(Discrepancy)
class DiscrepancyAdmin(ReadOnlyAdmin):
    """What we and a gateway say different things about. Rows that are not mended wait for staff."""

    list_display = ["report", "subject", "kind", "gateway_id", "payment", "ours", "theirs", "is_mended", "outcome"]
    list_filter = ["is_mended", "subject", "kind", "report__gateway", "report__started_at"]
    search_fields = ["=gateway_id", "=payment__public_id"]
    search_help_text = _("Id of the payment, or the gateway's id of the payment, refund or dispute")
    list_select_related = ["report", "payment"]


@admin.register(Payout)
class PayoutAdmin(ReadOnlyAdmin):
    """What gateways have sent to the bank account."""

    list_display = ["gateway_id", "gateway", "amount_shown", "arrived_at", "is_paid", "is_by_hand"]
    list_filter = ["gateway", "currency", ("returned_at", admin.EmptyFieldListFilter), "arrived_at"]
    search_fields = ["=gateway_id", "=public_id"]
    search_help_text = _("The gateway's id, or the reference on the bank statement")
    date_hierarchy = "arrived_at"
    exclude = ["amount", "currency"]
    readonly_fields = ["amount_shown"]

    @admin.display(description=_("amount"), ordering="amount")
    def amount_shown(self, payout: Payout) -> str:
        """Return the amount with its currency."""
        return money(payout.money)

    @admin.display(description=_("paid"), boolean=True, ordering="returned_at")
    def is_paid(self, payout: Payout) -> bool:
        """Return whether the bank has not sent it back."""
        return payout.is_paid
