"""Admin for plans, with their prices for reading."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.admin import ReadOnlyMixin
from core.lists import ListMixin
from core.rehearsal import NOTHING, Change
from events.admin.trace import TracedMixin
from subscriptions import catalogue
from subscriptions.admin.prices import TERMS, PriceForm, shown
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

    features = Lines(required=False, label=_("Features"), help_text=_("One per line."))
    features_ru = Lines(required=False, label=_("Features in Russian"), help_text=_("One per line."))

    def clean_code(self) -> str:
        """Refuse a code that another plan has, whatever its case."""
        code: str = self.cleaned_data["code"]
        other = Plan.objects.exclude(pk=self.instance.pk).filter(code__iexact=code).first()
        if other is not None:
            words = {"plan": other.name, "code": other.code}
            said = _("The plan %(plan)s has the code %(code)s. Upper and lower case count as the same.")
            raise forms.ValidationError(said % words)
        return code


class LineForm(forms.ModelForm):
    """A line of the list of plans."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs["aria-label"] = f"{self.instance}: {field.label}"


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


class FirstPriceForm(PriceForm):
    """The first price of a new plan in one currency."""

    class Meta:
        model = Price
        fields = ["currency", *TERMS]


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
class PlanAdmin(TracedMixin, ListMixin):
    """Plans. One that has prices can be hidden, but not deleted."""

    form = PlanForm
    list_display = ["name", "code", "current_prices", "position", "is_public", "is_highlighted"]
    # Staff order, hide and show plans on the list. Each change is recorded before -> after.
    list_editable = ["position", "is_public"]
    search_fields = ["=name", "=code"]
    search_help_text = _("Name or code of the plan")
    list_filter = ["is_public"]
    first_prices: type[FirstPriceInline] = FirstPriceInline
    prepopulated_fields = {"code": ["name"]}

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> type[forms.ModelForm]:
        """Return the form of a line of the list, whose fields are named for those who cannot see the table."""
        return super().get_changelist_form(request, form=LineForm, **kwargs)

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
        """Allow deletion only of a plan without prices."""
        return super().has_delete_permission(request, obj) and obj is not None and not obj.prices.exists()

    @admin.display(description=_("prices"))
    def current_prices(self, plan: Plan) -> str:
        """Return the current price in each currency."""
        current = [price for price in plan.prices.all() if price.archived_at is None]
        return " · ".join(shown(price) for price in current)
