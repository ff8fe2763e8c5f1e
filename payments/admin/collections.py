"""Read-only admin of collections, of the schedule ahead, and of consents; staff may stop a collection."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.admin import ReadOnlyAdmin, ReadOnlyMixin
from ledger.amounts_admin import AmountMixin
from payments.admin.lists import AmountInline, StatusAdmin
from payments.collection import plans, states
from payments.models import AutoTopUp, Collection, CollectionDecision, CollectionPlan, Consent, Payment


class AttemptInline(AmountInline):
    """The attempts of a collection: payments that charge a saved method."""

    model = Payment
    fk_name = "collection"
    fields = ["public_id", "status", "amount_shown", "method", "decline", "failure_code", "created_at"]
    readonly_fields = ["public_id", "amount_shown", "method", "decline"]


class DecisionInline(ReadOnlyMixin, admin.TabularInline):
    """Why a collection was tried or not, the newest first."""

    model = CollectionDecision
    extra = 0
    ordering = ["-id"]
    fields = ["at", "outcome", "line"]


@admin.register(Collection)
class CollectionAdmin(AmountMixin, StatusAdmin):
    """Money that is collected from saved methods, with the attempts and the decisions."""

    list_display = [
        "public_id", "customer", "amount_shown", "status_tag", "kind", "due_at", "next_at", "declines", "reason",
    ]  # fmt: skip
    list_filter = ["status", "kind", "currency", "created_at"]
    list_select_related = ["customer"]
    search_fields = ["=public_id", "customer__username", "customer__email"]
    search_help_text = _("Id of the collection, or the customer's name or email")
    date_hierarchy = "created_at"
    fields = [
        "public_id", "customer", "amount_shown", "status_tag", "kind", "cause", "subscriptions", "due_at", "next_at",
        "declines", "declined_at", "reason", "created_at", "updated_at", "ended_at",
    ]  # fmt: skip
    readonly_fields = ["amount_shown", "status_tag"]
    inlines = [AttemptInline, DecisionInline]
    actions = ["stop"]

    @admin.action(description=_("Stop collecting"), permissions=["act"])
    def stop(self, request: HttpRequest, queryset: QuerySet[Collection]) -> None:
        """Stop these collections for good. An attempt that is at its gateway still ends there."""
        for row in queryset.order_by("id"):
            stopped = states.end(row.pk, Collection.Status.STOPPED, states.STOPPED_BY_STAFF, now=timezone.now())
            said = _("%(id)s is now %(state)s.") % {"id": stopped, "state": stopped.get_status_display()}
            self.message_user(request, said, messages.INFO)


@admin.register(CollectionPlan)
class CollectionPlanAdmin(ReadOnlyAdmin):
    """When each wallet is looked at next, and the last decision about it."""

    list_display = ["wallet", "customer", "check_at", "last_decision", "failures", "parked_reason"]
    list_filter = [("parked_reason", admin.EmptyFieldListFilter)]
    list_select_related = ["customer", "wallet"]
    ordering = ["check_at"]
    search_fields = ["customer__username", "customer__email"]
    search_help_text = _("The customer's name or email")
    actions = ["look_again"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[CollectionPlan]:
        """Return the rows with the line of the last decision."""
        last = CollectionDecision.objects.filter(wallet=OuterRef("pk")).order_by("-id")
        rows: QuerySet[CollectionPlan] = super().get_queryset(request)
        return rows.annotate(line=Subquery(last.values("line")[:1]))

    @admin.display(description=_("last decision"))
    def last_decision(self, row: Any) -> str:
        """Return the line of the last decision about this wallet."""
        return row.line or "-"

    @admin.action(description=_("Look again in the next run"), permissions=["act"])
    def look_again(self, request: HttpRequest, queryset: QuerySet[CollectionPlan]) -> None:
        """Have these wallets looked at in the next run, those too that were parked."""
        plans.look_again(queryset.values_list("pk", flat=True), now=timezone.now())
        self.message_user(request, _("They are looked at in the next run."), messages.SUCCESS)


@admin.register(AutoTopUp)
class AutoTopUpAdmin(ReadOnlyAdmin):
    """Customers' rules for automatic top-ups, and why we have stopped one."""

    list_display = [
        "public_id", "customer", "currency", "threshold", "amount", "days_ahead", "monthly_cap", "created_at",
        "ended_at", "stopped_at", "stopped_reason",
    ]  # fmt: skip
    list_filter = [("stopped_at", admin.EmptyFieldListFilter), ("ended_at", admin.EmptyFieldListFilter), "currency"]
    list_select_related = ["customer"]
    search_fields = ["=public_id", "customer__username", "customer__email"]
    search_help_text = _("The customer's name or email")
    actions = None


@admin.register(Consent)
class ConsentAdmin(ReadOnlyAdmin):
    """What customers have agreed to, with the words that they saw."""

    list_display = ["public_id", "customer", "method", "purpose", "given_at", "withdrawn_at", "version", "address"]
    list_filter = ["purpose", ("withdrawn_at", admin.EmptyFieldListFilter), "version", "given_at"]
    list_select_related = ["customer", "method"]
    search_fields = ["=public_id", "customer__username", "customer__email"]
    search_help_text = _("Id of the consent, or the customer's name or email")
    actions = None
