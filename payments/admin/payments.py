"""Read-only admin of payments with their refunds and disputes. What staff can do is in decisions.py, inquiries.py."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.list_filters import present
from ledger.amounts_admin import AmountMixin, currency_filter
from ledger.display import money
from payments import change_texts, paid_changes, transitions
from payments.admin.lists import AmountInline, StatusAdmin, gateway_filter
from payments.models import Dispute, Payment, Refund


class RefundInline(AmountInline):
    """The refunds of a payment."""

    model = Refund
    fields = ["status", "amount_shown", "destination", "reason", "author", "created_at"]
    readonly_fields = ["amount_shown", "author"]


class DisputeInline(AmountInline):
    """The disputes of a payment."""

    model = Dispute
    fields = ["status", "amount_shown", "reason", "answer_by", "withdrawn_at", "returned_at"]


class PaymentAdmin(AmountMixin, StatusAdmin):
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
    list_filter = [
        "status",
        present("parked_reason", _("waits for staff")),
        gateway_filter(),
        currency_filter(),
        "created_at",
    ]
    search_fields = ["=public_id", "=gateway_id", "=subscription__public_id", "customer__username", "customer__email"]
    search_help_text = _(
        "Id of the payment, the gateway's payment or the subscription, or the customer's name or email"
    )
    list_select_related = ["customer", "plan", "change__price__plan"]
    actions = None
    inlines = [RefundInline, DisputeInline]
    readonly_fields = ["amount_shown", "refunded_shown", "change_shown"]

    def get_fields(self, request: HttpRequest, obj: Payment | None = None) -> Any:
        """Show amounts with their currency instead of the stored minor units."""
        shown = {"amount": "amount_shown", "amount_refunded": "refunded_shown"}
        # A field with JSON is a function that shows it.
        fields = [shown.get(name, name) if isinstance(name, str) else name for name in super().get_fields(request, obj)]
        return list(dict.fromkeys(fields))

    @admin.display(description=_("change of the subscription"))
    def change_shown(self, payment: Payment) -> str:
        """Return the change that the payment is for, and what has become of it."""
        change = paid_changes.of(payment)
        if change is None:
            return "-"
        plan = change.price.plan.title
        what = plan if change.quantity is None else f"{change.quantity} × {plan}"
        has_failed = payment.status not in (Payment.Status.CONFIRMED, *transitions.OPEN)
        step = change_texts.step(change, has_failed=has_failed)
        return f"{what}: {step}. {change_texts.reason(change)}".strip()

    @admin.display(description=_("refunded"))
    def refunded_shown(self, payment: Payment) -> str:
        """Return the refunded amount with its currency."""
        return money(payment.refunded)


def status_of(payment: Payment) -> str:
    """Return the status of a payment; of one that is parked, that it waits for staff or is being sent back."""
    if not payment.parked_reason:
        return payment.get_status_display()
    return gettext("is being sent back") if payment.amount_refunded else gettext("waits for a decision")
