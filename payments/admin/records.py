"""Read-only admin of refunds, disputes, payment methods and the pages that save them."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from core.admin import ReadOnlyAdmin
from core.list_filters import present
from ledger.amounts_admin import currency_filter
from ledger.display import money
from payments.admin.inquiries import InquiryAdmin
from payments.admin.lists import OfPaymentAdmin, StatusAdmin, gateway_filter
from payments.models import Dispute, MethodSetup, PaymentMethod, Refund


@admin.register(Refund)
class RefundAdmin(InquiryAdmin, OfPaymentAdmin):
    """Refunds. They are made on the page of their payment, or by hand on the gateway's own pages."""

    list_display = [
        "public_id", "payment_link", "customer", "amount_shown", "status_tag", "destination", "reason", "created_at",
    ]  # fmt: skip
    list_filter = ["status", "destination", "is_made_at_gateway", gateway_filter(), currency_filter(), "created_at"]
    fields = [
        "public_id", "payment_link", "customer", "amount_shown", "status_tag", "destination", "is_from_wallet",
        "is_made_at_gateway", "is_void", "reason", "author", "gateway", "gateway_id", "failure_code", "created_at",
        "updated_at", "check_at", "checks", "parked_reason",
    ]  # fmt: skip
    readonly_fields = [
        "payment_link", "customer", "amount_shown", "status_tag", "author", "parked_reason", "is_made_at_gateway",
        "is_void",
    ]  # fmt: skip


@admin.register(Dispute)
class DisputeAdmin(InquiryAdmin, OfPaymentAdmin):
    """Disputes. Staff answer them at the gateway until `answer_by`."""

    list_display = [
        "public_id", "payment_link", "customer", "amount_shown", "status_tag", "reason", "answer_by", "created_at",
    ]  # fmt: skip
    list_filter = ["status", gateway_filter(), currency_filter(), "created_at"]
    fields = [
        "public_id", "payment_link", "customer", "amount_shown", "status_tag", "reason", "answer_by", "withdrawn_at",
        "returned_at", "fee_shown", "gateway", "gateway_id", "created_at", "updated_at", "check_at", "checks",
        "parked_reason",
    ]  # fmt: skip
    readonly_fields = ["payment_link", "customer", "amount_shown", "status_tag", "fee_shown", "parked_reason"]

    @admin.display(description=_("fee"))
    def fee_shown(self, dispute: Dispute) -> str:
        """Return what the gateway keeps for the dispute."""
        return money(dispute.fee_money) if dispute.fee_money else ""


@admin.register(PaymentMethod)
class PaymentMethodAdmin(ReadOnlyAdmin):
    """Cards and accounts that gateways keep for customers."""

    list_display = ["public_id", "customer", "__str__", "gateway", "expires_on", "created_at", "removed_at"]
    list_filter = [gateway_filter(), present("removed_at", _("removed")), "created_at"]
    list_select_related = ["customer"]
    search_fields = ["=public_id", "=gateway_id", "customer__username", "customer__email"]
    search_help_text = _("Id of the method, ours or the gateway's, or the customer's name or email")
    actions = None


@admin.register(MethodSetup)
class MethodSetupAdmin(InquiryAdmin, StatusAdmin):
    """Gateways' pages on which customers save a method without paying, and what has come of each."""

    list_display = ["public_id", "customer", "gateway", "status_tag", "method", "created_at", "parked_reason"]
    list_filter = ["status", gateway_filter(), present("parked_reason", _("waits for staff")), "created_at"]
    list_select_related = ["customer", "method"]
    fields = [
        "public_id", "customer", "gateway", "gateway_id", "status_tag", "method", "language", "created_at",
        "expires_at", "check_at", "checks", "parked_reason",
    ]  # fmt: skip
    readonly_fields = ["public_id", "status_tag", "check_at", "checks", "parked_reason"]
    search_fields = ["=public_id", "=gateway_id", "customer__username", "customer__email"]
    search_help_text = _("Id of the page, ours or the gateway's, or the customer's name or email")
    actions = None
