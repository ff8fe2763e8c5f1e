"""Subscriptions for staff to read: their state, and what was charged for which span."""

from django.contrib import admin
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from core.admin import ReadOnlyAdmin
from ledger.display import money
from ledger.money import Money
from subscriptions import overview
from subscriptions.labels import STATUSES
from subscriptions.models import Charge, Subscription

CHARGES_SHOWN = 50


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnlyAdmin):
    """Who has what. The state is the book's last settling; `access` is worked out at this moment."""

    list_display = ["public_id", "customer", "price", "quantity", "state", "created_at"]
    list_filter = ["status", "price__plan", "price__currency"]
    list_select_related = ["customer", "price"]
    search_fields = ["=public_id", "customer__username", "customer__email"]
    ordering = ["-id"]
    readonly_fields = ["access", "charges_shown", "paid_shown"]
    fieldsets = [
        (None, {"fields": ["customer", "price", "quantity", "periods", "status", "access", "charges_shown"]}),
        (_("What comes"), {"fields": ["auto_renew", "cancel_requested", "scheduled_price", "trial_end", "grace_end"]}),
        (
            _("Paid ahead"),
            {"fields": ["anchor_at", "period_number", "period_start", "period_end", "paid_shown", "paused_left"]},
        ),
        (_("Metered"), {"fields": ["billed_until", "remainder"]}),
        (_("Record"), {"fields": ["public_id", "wallet", "created_at", "started_at", "ended_at", "entry_count"]}),
    ]

    @admin.display(description=_("status"), ordering="status")
    def state(self, row: Subscription) -> str:
        """Return the status as a tag."""
        tone, sign, word = STATUSES[Subscription.Status(row.status)]
        return format_html('<span class="tag {}">{} {}</span>', tone, sign, word)

    @admin.display(description=_("access now"))
    def access(self, row: Subscription) -> str:
        """Return whether it may be used at this moment, and until when."""
        found = overview.access(row, now=timezone.now())
        until = f" → {found.until:%Y-%m-%d %H:%M:%S} UTC" if found.until else ""
        return f"{_('yes') if found.active else _('no')} ({found.reason}){until}"

    @admin.display(description=_("period paid"))
    def paid_shown(self, row: Subscription) -> str:
        """Return what the period cost, as money."""
        return money(Money(row.period_paid, row.price.currency))

    @admin.display(description=_("charges"))
    def charges_shown(self, row: Subscription) -> str:
        """Return the last charges as a table."""
        charges = Charge.objects.filter(subscription=row).select_related("refund").order_by("-period_start")
        context = {"charges": charges[:CHARGES_SHOWN], "currency": row.price.currency}
        return render_to_string("admin/subscriptions/charges.html", context)
