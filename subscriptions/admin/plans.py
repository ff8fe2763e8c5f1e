"""Admin for plans, with their prices for reading."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from core.admin import ReadOnlyMixin
from core.lists import ListMixin
from subscriptions.admin.prices import shown
from subscriptions.models import Plan, Price


class Lines(forms.CharField):
    """A list of strings, edited with one string per line."""

    widget = forms.Textarea(attrs={"rows": 4})

    def prepare_value(self, value: Any) -> Any:
        """Return the list as lines."""
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        """Return the lines as a list."""
        return [line.strip() for line in (value or "").splitlines() if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare the values as lists."""
        return bool((initial or []) != self.to_python(data))


class PlanForm(forms.ModelForm):
    """Edit the features as lines; they are stored as lists."""

    features = Lines(required=False, help_text=_("One per line."))
    features_ru = Lines(required=False, label=_("Features in Russian"), help_text=_("One per line."))


class PriceInline(ReadOnlyMixin, admin.TabularInline):
    """All price versions of a plan, read-only: prices are added on their own page."""

    model = Price
    fields = [
        "version_link", "amount_shown", "metered", "trial_days", "trial_quantity_max", "grace_days", "keep_days",
        "can_pause", "can_refund_unused", "archived_at",
    ]  # fmt: skip
    readonly_fields = [
        "version_link", "amount_shown", "metered", "trial_days", "trial_quantity_max", "grace_days", "keep_days",
        "can_pause", "can_refund_unused", "archived_at",
    ]  # fmt: skip
    ordering = ["currency", "-version"]
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[Price]:
        """Read the plan with the prices: it is part of their names."""
        return super().get_queryset(request).select_related("plan")

    @admin.display(description=_("version"))
    def version_link(self, price: Price) -> str:
        """Return a link to the price's page."""
        url = reverse("admin:subscriptions_price_change", args=[price.pk])
        return format_html('<a href="{}">{} v{}</a>', url, price.currency, price.version)

    @admin.display(description=_("amount"))
    def amount_shown(self, price: Price) -> str:
        """Return the amount and the interval."""
        return shown(price)


@admin.register(Plan)
class PlanAdmin(ListMixin):
    """Plans. One that has prices can be hidden, but not deleted."""

    form = PlanForm
    list_display = ["name", "code", "current_prices", "position", "is_public", "is_highlighted"]
    search_fields = ["=name", "=code"]
    search_help_text = _("Name or code of the plan")
    list_filter = ["is_public"]
    inlines = [PriceInline]
    prepopulated_fields = {"code": ["name"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Plan]:
        """Prefetch the prices."""
        return super().get_queryset(request).prefetch_related("prices")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Allow deletion only of a plan without prices."""
        return super().has_delete_permission(request, obj) and obj is not None and not obj.prices.exists()

    @admin.display(description=_("prices"))
    def current_prices(self, plan: Plan) -> str:
        """Return the current price in each currency."""
        current = [price for price in plan.prices.all() if price.archived_at is None]
        return " · ".join(shown(price) for price in current)
