"""Admin for plans, with their prices for reading."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import IntegrityError
from django.db.models import Max, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.admin import ReadOnlyMixin
from core.lists import ListMixin
from core.rehearsal import NOTHING, Change
from events.admin.review import ActPages
from events.admin.trace import ReasonedMixin
from subscriptions import catalogue
from subscriptions.admin.first_price import AddPriceForm, FirstPriceForm
from subscriptions.admin.order import DeletePlanForm, MoveDownForm, MoveUpForm
from subscriptions.admin.terms import TERMS, shown
from subscriptions.admin.texts import TEXTS, PlanForm, TextsForm
from subscriptions.admin.versions import VersionForm
from subscriptions.admin.visibility import HideForm, ShowForm
from subscriptions.models import Plan, Price

# The links of the order, with a sign.
WAYS = (("up", "↑", MoveUpForm.title), ("down", "↓", MoveDownForm.title))


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


class FirstPrices(forms.BaseInlineFormSet):
    """The first prices of a new plan, each in its own currency."""

    def clean(self) -> None:
        """Refuse two prices in one currency."""
        super().clean()
        seen: set[str] = set()
        for form in self.forms:
            currency = getattr(form, "cleaned_data", {}).get("currency")
            if currency in seen:
                form.add_error("currency", gettext("Currency: one price in each. There are two in %s.") % currency)
            elif currency:
                seen.add(currency)


class FirstPriceInline(admin.StackedInline):
    """The prices of a plan that is being created. One that is left blank is not created."""

    model = Price
    form = FirstPriceForm
    formset = FirstPrices
    fields = [
        ("currency", "amount"), ("interval", "interval_count", "metered"), ("trial_days", "trial_quantity_max"),
        ("grace_days", "keep_days"), ("can_pause", "can_refund_unused"),
    ]  # fmt: skip
    # Without JavaScript there is no button that adds another.
    extra = 3
    can_delete = False
    verbose_name = _("first price")
    verbose_name_plural = _("First prices: one for each currency. Leave the others blank.")


@admin.register(Plan)
class PlanAdmin(ActPages, ReasonedMixin, ListMixin):
    """Plans. One that has prices can be hidden, but not deleted."""

    acts = {
        "texts": TextsForm, "add-price": AddPriceForm, "hide": HideForm, "show": ShowForm, "up": MoveUpForm,
        "down": MoveDownForm, "delete": DeletePlanForm,
    }  # fmt: skip

    form = PlanForm
    list_display = ["name", "code", "current_prices", "is_public", "is_highlighted", "moves"]
    search_fields = ["=name", "=code"]
    search_help_text = _("Name or code of the plan")
    list_filter = ["is_public"]
    first_prices: type[FirstPriceInline] = FirstPriceInline
    prepopulated_fields = {"code": ["name"]}

    def get_list_display(self, request: HttpRequest) -> Any:
        """Return the columns, with the links of the order for those who may follow them."""
        columns = super().get_list_display(request)
        return columns if self.has_change_permission(request) else [each for each in columns if each != "moves"]

    def has_change_permission(self, request: HttpRequest, obj: Plan | None = None) -> bool:
        """Show a plan for reading: it changes by its acts. Its place in the list changes there."""
        return obj is None and super().has_change_permission(request)

    def get_readonly_fields(self, request: HttpRequest, obj: Plan | None = None) -> Any:
        """Show the features of a plan as lines."""
        return ["points_shown", "points_ru_shown"] if obj else []

    def get_fields(self, request: HttpRequest, obj: Plan | None = None) -> Any:
        """Return the texts, and for a plan that there is, whether it is sold and where it stands."""
        if obj is None:
            return super().get_fields(request, obj)
        texts = {"features": "points_shown", "features_ru": "points_ru_shown"}
        return [*(texts.get(name, name) for name in TEXTS), "is_public", "position"]

    def links(self, request: HttpRequest, row: Plan) -> list[tuple[str | Promise, str]]:
        """Return the acts on the plan, with a new version of each price on sale."""
        versions = [
            (
                f"{VersionForm.title}: {price.currency}",
                reverse("admin:subscriptions_price_new_version", args=[price.pk]),
            )
            for price in row.prices.all()
            if self.may_act(request, VersionForm) and not VersionForm.obstacle(price)
        ]
        return [*versions, *super().links(request, row)]

    @admin.display(description=_("Features"))
    def points_shown(self, plan: Plan) -> str:
        """Return the features, each on a line."""
        return format_html_join(mark_safe("<br>"), "{}", ((point,) for point in plan.features)) or "–"

    @admin.display(description=_("Features in Russian"))
    def points_ru_shown(self, plan: Plan) -> str:
        """Return the Russian features, each on a line."""
        return format_html_join(mark_safe("<br>"), "{}", ((point,) for point in plan.features_ru)) or "–"

    def get_exclude(self, request: HttpRequest, obj: Plan | None = None) -> list[str]:
        """A new plan comes last."""
        return [] if obj else ["position"]

    def save_model(self, request: HttpRequest, obj: Plan, form: Any, change: bool) -> None:
        """Save a plan, a new one behind all others."""
        if not change:
            obj.position = (Plan.objects.aggregate(last=Max("position"))["last"] or 0) + 1
        super().save_model(request, obj, form, change)

    def changeform_view(self, request: HttpRequest, *args: Any, **options: Any) -> HttpResponse:
        """Show the page. If somebody has added a plan with the same code at this moment, the form says so."""
        try:
            return super().changeform_view(request, *args, **options)
        except (IntegrityError, catalogue.TermsInvalid):
            # All of it was rolled back. The other plan is there now, and the form finds it.
            return super().changeform_view(request, *args, **options)

    @admin.display(description=_("order"))
    def moves(self, plan: Plan) -> SafeString:
        """Return the links that move a plan: each leads to its review."""
        links = (
            (reverse(f"admin:subscriptions_plan_{way}", args=[plan.pk]), f"{name}: {plan}", sign)
            for way, sign, name in WAYS
        )
        return format_html_join(" ", '<a class="act" href="{}" aria-label="{}">{}</a>', links)

    def get_inlines(self, request: HttpRequest, obj: Plan | None) -> list[Any]:
        """Ask for the first prices of a new plan; list the versions of any other."""
        return [self.first_prices] if obj is None else [PriceInline]

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Create the first prices of a new plan through catalogue.first_version, and keep them for the record."""
        if change:
            super().save_formset(request, form, formset, change)
            return
        sent = [each.cleaned_data for each in formset.forms if each.has_changed()]
        made = [
            catalogue.first_version(
                formset.instance, now=timezone.now(), currency=terms["currency"],
                **{name: terms[name] for name in TERMS if name in terms},
            )
            for terms in sent
        ]  # fmt: skip
        formset.new_objects, formset.changed_objects, formset.deleted_objects = made, [], []

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        """Add the first prices to the record."""
        message = super().construct_change_message(request, form, formsets, add)
        made = [price for formset in formsets or [] for price in formset.new_objects] if add else []
        request.staff_changes += [Change(gettext("Price"), NOTHING, shown(price)) for price in made]  # type: ignore[attr-defined]
        return message

    def get_queryset(self, request: HttpRequest) -> QuerySet[Plan]:
        """Prefetch the prices."""
        return super().get_queryset(request).prefetch_related("prices")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Forbid Django's deletion, which asks for no reason."""
        return False

    @admin.display(description=_("prices"))
    def current_prices(self, plan: Plan) -> str:
        """Return the current price in each currency."""
        current = [price for price in plan.prices.all() if price.archived_at is None]
        return " · ".join(shown(price) for price in current)
