"""Read-only admin of payments and webhook events. Its actions call the same functions as the API."""

import json
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from core.admin import ReadOnlyAdmin
from ledger.display import money
from ledger.money import Money
from payments import confirmation
from payments import report_admin as report_admin  # its pages are registered with these
from payments.models import Payment, WebhookEvent
from payments.webhooks import process

# CSS class of a status; any other status has none.
TONES = {
    "confirmed": "ok", "processed": "ok", "unknown": "warn", "parked": "warn", "received": "info", "pending": "info",
    "failed": "bad",
}  # fmt: skip


class StatusAdmin(ReadOnlyAdmin):
    """A read-only list that shows the status of each row as a coloured tag."""

    @admin.display(description=_("status"), ordering="status")
    def status_tag(self, row: Any) -> SafeString:
        """Return the status as a coloured tag."""
        return format_html('<span class="tag {}">{}</span>', TONES.get(row.status, ""), row.get_status_display())


@admin.register(Payment)
class PaymentAdmin(StatusAdmin):
    """Payments. One with a `parked_reason` waits for a decision of staff."""

    list_display = [
        "public_id",
        "customer",
        "amount_shown",
        "status_tag",
        "gateway",
        "plan",
        "parked_reason",
        "created_at",
    ]
    list_filter = ["status", ("parked_reason", admin.EmptyFieldListFilter), "gateway", "currency", "created_at"]
    search_fields = ["=public_id", "=gateway_id", "=subscription__public_id", "customer__username", "customer__email"]
    search_help_text = _(
        "Id of the payment, the gateway's payment or the subscription, or the customer's name or email"
    )
    list_select_related = ["customer", "plan"]
    date_hierarchy = "created_at"
    actions = ["ask_the_gateway_now"]
    readonly_fields = ["amount_shown", "refunded_shown"]

    def get_fields(self, request: HttpRequest, obj: Payment | None = None) -> Any:
        """Show amounts with their currency instead of the stored minor units."""
        shown = {"amount": "amount_shown", "amount_refunded": "refunded_shown"}
        fields = [str(name) for name in super().get_fields(request, obj)]
        return [shown.get(name, name) for name in fields if name not in shown.values()]

    @admin.display(description=_("amount"), ordering="amount")
    def amount_shown(self, payment: Payment) -> str:
        """Return the amount with its currency."""
        return money(payment.money)

    @admin.display(description=_("refunded"))
    def refunded_shown(self, payment: Payment) -> str:
        """Return the refunded amount with its currency."""
        return money(Money(payment.amount_refunded, payment.currency))

    @admin.action(description=_("Check with the gateway now"), permissions=["act"])
    def ask_the_gateway_now(self, request: HttpRequest, queryset: QuerySet[Payment]) -> None:
        """Check each payment at its gateway and confirm it if it was paid."""
        for row in queryset.order_by("id"):
            payment = confirmation.confirm(row.pk, now=timezone.now())
            text = _("Payment %(id)s is now %(state)s.")
            said = text % {"id": payment.public_id, "state": payment.get_status_display()}
            self.message_user(request, f"{said} {payment.parked_reason}".strip(), messages.INFO)


@admin.register(WebhookEvent)
class WebhookEventAdmin(StatusAdmin):
    """Webhook events with the result of their processing."""

    list_display = ["event_id", "gateway", "type", "gateway_id", "status_tag", "outcome", "tries", "received_at"]
    list_filter = ["status", "gateway", "type", "received_at"]
    search_fields = ["=event_id", "=gateway_id"]
    search_help_text = _("Id of the event, or of the gateway's payment")
    actions = ["replay"]
    exclude = ["payload"]
    readonly_fields = ["payload_shown"]

    @admin.display(description=_("payload"))
    def payload_shown(self, event: WebhookEvent) -> SafeString:
        """Return the payload as indented JSON."""
        return format_html("<pre>{}</pre>", json.dumps(event.payload, indent=2, ensure_ascii=False))

    @admin.action(description=_("Process again"), permissions=["act"])
    def replay(self, request: HttpRequest, queryset: QuerySet[WebhookEvent]) -> None:
        """Process the events again. Nothing is credited twice."""
        chosen, now = list(queryset.values_list("pk", flat=True)), timezone.now()
        process.replay(chosen, now=now)
        for event_pk in chosen:
            process.process(event_pk, now=now)
        text = ngettext("%d event was processed again.", "%d events were processed again.", len(chosen)) % len(chosen)
        self.message_user(request, text, messages.SUCCESS)
