"""Admin for subscriptions, with their charges and the pages of what staff do for a customer."""

from datetime import timedelta
from typing import Any, cast

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from events.admin.review import ActAdmin
from ledger.amounts_admin import currency_filter
from ledger.display import moment, money
from ledger.money import Money
from subscriptions import overview
from subscriptions.admin import acts, changes, courses, endings, extension
from subscriptions.labels import STATUSES
from subscriptions.models import Charge, Subscription
from subscriptions.web.cards import Card

CHARGES_SHOWN = 50


@admin.register(Subscription)
class SubscriptionAdmin(ActAdmin):
    """Subscriptions. The fields are as of the last settling; `access` is calculated now."""

    acts = {
        "change-plan": changes.PlanForm,
        "quantity": changes.QuantityForm,
        "keep-plan": changes.KeepPlanForm,
        "extend": extension.ExtendForm,
        "start": courses.StartForm,
        "pause": courses.PauseForm,
        "resume": courses.ResumeForm,
        "renewal-on": courses.RenewForm,
        "renewal-off": courses.StopRenewalForm,
        "undo-cancel": endings.UndoCancelForm,
        "cancel": endings.CancelForm,
    }
    list_display = ["public_id", "customer", "price", "quantity", "state", "created_at"]
    list_filter = ["status", "price__plan", currency_filter("price__currency")]
    list_select_related = ["customer", "price__plan"]
    search_fields = ["=public_id", "customer__username", "customer__email"]
    search_help_text = _("Id of the subscription, or the customer's user name or email")
    ordering = ["-id"]
    readonly_fields = ["access", "charges_shown", "paid_shown", "net_shown", "time_left"]
    fieldsets = [
        (None, {"fields": ["customer", "price", "quantity", "periods", "status", "access", "charges_shown"]}),
        (
            _("Next"),
            {
                "fields": [
                    "auto_renew",
                    "cancel_requested",
                    "scheduled_price",
                    "scheduled_quantity",
                    "trial_end",
                    "grace_end",
                    "wait_end",
                ]
            },
        ),
        (
            _("Paid in advance"),
            {
                "fields": [
                    "anchor_at",
                    "period_number",
                    "period_start",
                    "period_end",
                    "paid_shown",
                    "net_shown",
                    "time_left",
                ]
            },
        ),
        (_("Metered"), {"fields": ["billed_until"]}),
        (_("Record"), {"fields": ["public_id", "wallet", "created_at", "started_at", "ended_at", "entry_count"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Subscription]:
        """Return the rows with what their acts are about."""
        return super().get_queryset(request).select_related("customer", "price__plan", "wallet")

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Subscription | None:
        """Return the subscription, with whether the reader may open the transactions of its charges."""
        row: Any = super().get_object(request, object_id, from_field)
        if row is not None:
            row.reader_sees_transactions = cast(User, request.user).has_perm("ledger.view_transaction")
        found: Subscription | None = row
        return found

    def links_with(self, request: HttpRequest, card: Card) -> list[tuple[str | Promise, str]]:
        """Return the acts on a subscription whose card is known, without a query. Its row has its customer."""
        acts.keep(card, card.row)
        return self.links(request, card.row)

    @admin.display(description=_("status"), ordering="status")
    def state(self, row: Subscription) -> str:
        """Return the status as a coloured tag."""
        tone, sign, word = STATUSES[Subscription.Status(row.status)]
        return format_html('<span class="tag {}">{} {}</span>', tone, sign, word)

    @admin.display(description=_("access now"))
    def access(self, row: Subscription) -> str:
        """Return whether the customer has access now, and until when."""
        access = overview.access(row, now=timezone.now())
        _tone, _sign, status = STATUSES[Subscription.Status(access.reason)]
        answer = f"{gettext('yes') if access.active else gettext('no')} ({status})"
        if not access.until:
            return answer
        return gettext("%(answer)s until %(moment)s") % {"answer": answer, "moment": moment(access.until)}

    @admin.display(description=_("paid period"))
    def paid_shown(self, row: Subscription) -> str:
        """Return what the current period is worth in full."""
        return money(Money(row.period_paid, row.price.currency))

    @admin.display(description=_("cost of the period"))
    def net_shown(self, row: Subscription) -> str:
        """Return what the period has cost, with the changes of its quantity."""
        return money(Money(row.period_net, row.price.currency))

    @admin.display(description=_("time left while paused"))
    def time_left(self, row: Subscription) -> str:
        """Return what is left of a paused period, in days, hours, minutes and seconds."""
        return "-" if row.paused_left is None else str(timedelta(seconds=row.paused_left // 1_000_000))

    @admin.display(description=_("charges"))
    def charges_shown(self, row: Subscription) -> str:
        """Return a table of the latest charges."""
        charges = Charge.objects.filter(subscription=row).select_related("refund").order_by("-period_start")
        context = {
            "charges": charges[:CHARGES_SHOWN], "currency": row.price.currency,
            "sees_transactions": getattr(row, "reader_sees_transactions", False),
        }  # fmt: skip
        return render_to_string("admin/subscriptions/charges.html", context)
