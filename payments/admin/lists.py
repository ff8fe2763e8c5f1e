"""What the payments admin shares: rows with a status or an amount, and links between a payment and its rows."""

from typing import Any

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from core.admin import ReadOnlyAdmin, ReadOnlyMixin, link_to_customer
from ledger.amounts_admin import AmountMixin
from payments.models import Payment

# CSS class of a status; any other status has none.
TONES = {
    "confirmed": "ok", "processed": "ok", "succeeded": "ok", "won": "ok", "unknown": "warn", "parked": "warn",
    "open": "warn", "received": "info", "pending": "info", "failed": "bad", "lost": "bad",
    "waiting": "info", "charging": "info", "action_required": "warn", "collected": "ok", "given_up": "bad",
}  # fmt: skip


class StatusAdmin(ReadOnlyAdmin):
    """A read-only list that shows the status of each row as a coloured tag."""

    @admin.display(description=_("status"), ordering="status")
    def status_tag(self, row: Any) -> SafeString:
        """Return the status as a coloured tag."""
        return format_html('<span class="tag {}">{}</span>', TONES.get(row.status, ""), row.get_status_display())


class AmountInline(AmountMixin, ReadOnlyMixin, admin.TabularInline):
    """Rows with an amount on the page of another row, each with a link to its own page. The newest come first."""

    extra = 0
    show_change_link = True
    ordering = ["-id"]
    readonly_fields = ["amount_shown"]


class OfPaymentAdmin(AmountMixin, StatusAdmin):
    """A read-only list of what happened to payments, each row with a link to its payment."""

    list_select_related = ["payment__customer"]
    search_fields = [
        "=public_id", "=gateway_id", "=payment__public_id", "payment__customer__username", "payment__customer__email",
    ]  # fmt: skip
    search_help_text = _("Id of the row or of its payment, ours or the gateway's, or the customer's name or email")
    date_hierarchy = "created_at"
    actions = None

    @admin.display(description=_("payment"))
    def payment_link(self, row: Any) -> str:
        """Return a link to the payment."""
        return link_to_payment(row.payment)

    @admin.display(description=_("customer"))
    def customer(self, row: Any) -> str:
        """Return the customer who made the payment."""
        return str(row.payment.customer)

    @admin.display(description=_("customer"))
    def customer_shown(self, row: Any) -> str:
        """Return a link to the customer who made the payment."""
        return link_to_customer(row.payment.customer)


def link_to_payment(payment: Payment | None) -> str:
    """Return a link to the page of a payment; empty for none."""
    if payment is None:
        return ""
    return format_html('<a href="{}">{}</a>', reverse("admin:payments_payment_change", args=[payment.pk]), payment)
