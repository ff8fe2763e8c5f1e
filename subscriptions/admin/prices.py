"""Admin for prices: new prices, and the act that puts a new version on sale."""

from typing import Any

from django.contrib import admin
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.list_filters import present
from core.lists import ListMixin
from events.admin.review import ActPages
from ledger.amounts_admin import currency_filter
from subscriptions import catalogue
from subscriptions.admin.terms import TERMS, ReasonedPriceForm, shown
from subscriptions.admin.versions import VersionForm
from subscriptions.models import Price


@admin.register(Price)
class PriceAdmin(ActPages, ListMixin):
    """Versions of prices. One that a subscription has used cannot change: a new version replaces it."""

    acts = {"new-version": VersionForm}

    list_display = ["__str__", "plan", "currency", "amount_shown", "version", "is_current", "used_at"]
    list_filter = ["plan", currency_filter(), present("archived_at", _("replaced by a newer version"))]
    list_select_related = ["plan"]
    ordering = ["plan__position", "currency", "-version"]
    form = ReasonedPriceForm

    def get_readonly_fields(self, request: HttpRequest, obj: Price | None = None) -> list[str]:
        """Make used and archived prices read-only; of the others fix the plan and the currency."""
        if obj is None:
            return []
        fixed = ["plan", "currency", "amount_shown", "version", "used_at", "archived_at"]
        return [*fixed, *TERMS] if obj.used_at or obj.archived_at else fixed

    def get_fields(self, request: HttpRequest, obj: Price | None = None) -> list[Any]:
        """Add the fields that the system sets, for an existing price."""
        if obj is None:
            return ["plan", "currency", *TERMS, "reason"]
        # A read-only price shows `amount_shown` instead of the minor units.
        is_fixed = not self.has_change_permission(request, obj)
        terms = [name for name in TERMS if name != "amount" or not is_fixed]
        reason = [] if is_fixed else ["reason"]
        return ["plan", "currency", "amount_shown", *terms, "version", "used_at", "archived_at", *reason]

    def has_change_permission(self, request: HttpRequest, obj: Price | None = None) -> bool:
        """Show a used or archived price for reading, without buttons that could save nothing."""
        is_fixed = obj is not None and bool(obj.used_at or obj.archived_at)
        return not is_fixed and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Forbid deletion: a new version archives the price."""
        return False

    def changeform_view(self, request: HttpRequest, *args: Any, **options: Any) -> HttpResponse:
        """Show the page. If somebody has added the same price at this moment, the form says so."""
        try:
            return super().changeform_view(request, *args, **options)
        except (IntegrityError, catalogue.TermsInvalid):
            # All of it was rolled back. The other price is there now, and the form finds it.
            return super().changeform_view(request, *args, **options)

    def save_model(self, request: HttpRequest, obj: Price, form: Any, change: bool) -> None:
        """Save a changed price; create a new one through catalogue.first_version."""
        if change:
            super().save_model(request, obj, form, change)
            return
        terms = {name: form.cleaned_data[name] for name in TERMS if name in form.cleaned_data}
        price = catalogue.first_version(obj.plan, now=timezone.now(), currency=obj.currency, **terms)
        obj.pk, obj.version = price.pk, price.version
        obj._state.adding = False

    @admin.display(description=_("amount"))
    def amount_shown(self, price: Price) -> str:
        """Return the amount and the interval."""
        return shown(price)

    @admin.display(description=_("current"), boolean=True)
    def is_current(self, price: Price) -> bool:
        """Return whether this version is current."""
        return price.archived_at is None
