"""Plans and their prices for staff: a price in use is read-only, changing it means a new version."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from accounts.errors import DomainError
from subscriptions import prices
from subscriptions.admin.terms import TERMS, NewVersionForm, PriceForm, shown
from subscriptions.models import Plan, Price


class Lines(forms.CharField):
    """A list of short lines, one a line."""

    widget = forms.Textarea(attrs={"rows": 4})

    def prepare_value(self, value: Any) -> Any:
        """Show the list as lines."""
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        """Read the lines as a list."""
        return [line.strip() for line in (value or "").splitlines() if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare as lists."""
        return bool((initial or []) != self.to_python(data))


class PlanForm(forms.ModelForm):
    """The features are edited as lines, and kept as a list."""

    features = Lines(required=False, help_text=_("One a line."))
    features_ru = Lines(required=False, label=_("features in Russian"), help_text=_("One a line."))


class PriceInline(admin.TabularInline):
    """All versions of all prices of a plan, to be read."""

    model = Price
    fields = ["version_link", "amount_shown", "metered", "trial_days", "grace_days", "archived_at"]
    readonly_fields = ["version_link", "amount_shown", "metered", "trial_days", "grace_days", "archived_at"]
    ordering = ["currency", "-version"]
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Not here: prices are added on their own page."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Not here."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False

    @admin.display(description=_("version"))
    def version_link(self, price: Price) -> str:
        """Return a link to the price."""
        url = reverse("admin:subscriptions_price_change", args=[price.pk])
        return format_html('<a href="{}">{} v{}</a>', url, price.currency, price.version)

    @admin.display(description=_("amount"))
    def amount_shown(self, price: Price) -> str:
        """Return the amount with how often it comes round."""
        return shown(price)


@admin.register(Plan)
class PlanAdmin(admin.ModelAdmin):
    """What is sold. A plan that was ever sold is hidden, not deleted."""

    form = PlanForm
    list_display = ["name", "code", "current_prices", "position", "is_public", "is_highlighted"]
    search_fields = ["name", "code"]
    list_filter = ["is_public"]
    inlines = [PriceInline]
    prepopulated_fields = {"code": ["name"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Plan]:
        """Read the prices with the plans."""
        return super().get_queryset(request).prefetch_related("prices")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only a plan that nothing hangs on."""
        return super().has_delete_permission(request, obj) and obj is not None and not obj.prices.exists()

    @admin.display(description=_("prices"))
    def current_prices(self, plan: Plan) -> str:
        """Return what it costs now, in each currency."""
        current = [price for price in plan.prices.all() if price.archived_at is None]
        return " · ".join(shown(price) for price in current)


@admin.register(Price)
class PriceAdmin(admin.ModelAdmin):
    """Versions of prices. One that somebody has had never changes: a new version takes its place."""

    list_display = ["__str__", "plan", "currency", "amount_shown", "version", "is_current", "used_at"]
    list_filter = ["plan", "currency", ("archived_at", admin.EmptyFieldListFilter)]
    list_select_related = ["plan"]
    ordering = ["plan__position", "currency", "-version"]
    form = PriceForm
    change_form_template = "admin/subscriptions/price.html"

    def get_readonly_fields(self, request: HttpRequest, obj: Price | None = None) -> list[str]:
        """A price in use, or of the past, is only shown; of any other, plan and currency stay what they are."""
        if obj is None:
            return []
        stays = ["plan", "currency", "amount_shown", "version", "used_at", "archived_at"]
        return [*stays, *TERMS] if obj.used_at or obj.archived_at else stays

    def get_fields(self, request: HttpRequest, obj: Price | None = None) -> list[Any]:
        """Add what the system knows of a price that exists."""
        if obj is None:
            return ["plan", "currency", *TERMS]
        # What can only be read is read once: `amount_shown`, not the minor units as well.
        terms = [name for name in TERMS if name != "amount" or not (obj.used_at or obj.archived_at)]
        return ["plan", "currency", "amount_shown", *terms, "version", "used_at", "archived_at"]

    def get_urls(self) -> list[URLPattern]:
        """Add the page of the new version."""
        new = path(
            "<int:pk>/new-version/", self.admin_site.admin_view(self.new_version), name="subscriptions_price_new"
        )
        return [new, *super().get_urls()]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody: a price is archived by the version that follows."""
        return False

    def save_model(self, request: HttpRequest, obj: Price, form: Any, change: bool) -> None:
        """A price of a plan begins with version 1, through the same function as everything else that prices."""
        if change:
            super().save_model(request, obj, form, change)
            return
        terms = {name: form.cleaned_data[name] for name in TERMS}
        made = prices.first_version(obj.plan, now=timezone.now(), currency=obj.currency, **terms)
        obj.pk, obj.version = made.pk, made.version
        obj._state.adding = False

    def new_version(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Put the next version on sale: show its terms, then do it."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        price = get_object_or_404(Price.objects.select_related("plan"), pk=pk)
        form = NewVersionForm(request.POST or None, instance=Price(**_terms(price)))
        if request.method == "POST" and (made := self._versioned(request, price, form)):
            return HttpResponseRedirect(reverse("admin:subscriptions_price_change", args=[made.pk]), status=303)
        context = {**self.admin_site.each_context(request), "title": _("New version"), "price": price, "form": form}
        return TemplateResponse(request, "admin/subscriptions/new_version.html", context | {"opts": self.opts})

    def _versioned(self, request: HttpRequest, price: Price, form: NewVersionForm) -> Price | None:
        if not form.is_valid():
            return None
        try:
            made = prices.new_version(price, now=timezone.now(), **form.cleaned_data)
        except DomainError as error:
            form.add_error(None, error.detail)
            return None
        words = {"version": made.version, "price": shown(made)}
        said = _("Version %(version)d is on sale: %(price)s. Who has an older one keeps it.")
        self.message_user(request, said % words)
        return made

    @admin.display(description=_("amount"))
    def amount_shown(self, price: Price) -> str:
        """Return the amount with how often it comes round."""
        return shown(price)

    @admin.display(description=_("current"), boolean=True)
    def is_current(self, price: Price) -> bool:
        """Return whether it is on sale."""
        return price.archived_at is None


def _terms(price: Price) -> dict[str, Any]:
    return {name: getattr(price, name) for name in ("plan", "currency", *TERMS)}
