"""Admin for prices: new prices and new versions. Staff type amounts in major units, parsed exactly as in the API."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.errors import DomainError
from core.list_filters import present
from core.lists import ListMixin
from core.rehearsal import NOTHING, Change
from events.admin.trace import TracedMixin
from ledger.amounts_admin import currency_filter
from ledger.display import money
from ledger.money import EXPONENTS, Money, NotMoney, exponent_of
from subscriptions import catalogue
from subscriptions.labels import every
from subscriptions.models import Price, Subscription

TERMS = tuple(catalogue.PriceTerms.__annotations__)


def shown(price: Price) -> str:
    """Return the amount and the interval of a price: `RUB 749.00 a month`."""
    return f"{money(price.money)} {every(price)}"


class TermsForm(forms.ModelForm):
    """Take the amount as a decimal in the price's currency (`749.00` or `749`), never as minor units."""

    amount = forms.CharField(
        label=_("Amount"),
        help_text=_("In whole currency units, not in cents: 749.00 or 749."),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.currency in EXPONENTS and "amount" in self.fields:
            self.initial["amount"] = self.instance.money.plain()
            self.fields["amount"].help_text = self.hint()

    def hint(self) -> str:
        """Return the help text for an amount in the price's currency."""
        currency = self.instance.currency
        example = Money(749 * 10 ** exponent_of(currency), currency).plain()
        return gettext("In %(currency)s, for example %(example)s.") % {"currency": currency, "example": example}

    def clean_currency(self) -> str:
        """Refuse an unknown currency."""
        currency: str = self.cleaned_data["currency"]
        try:
            exponent_of(currency)
        except NotMoney as error:
            raise forms.ValidationError(str(error)) from error
        return currency

    def clean_amount(self) -> int:
        """Return the amount in minor units; refuse more decimals than the currency has."""
        currency = self.cleaned_data.get("currency") or self.instance.currency
        if not currency:
            return 0  # The currency field reports its own error.
        try:
            amount = Money.parse(self.cleaned_data["amount"], currency).amount
        except NotMoney as error:
            raise forms.ValidationError(str(error)) from error
        if amount < 0:
            raise forms.ValidationError(_("The price must be zero or more."))
        return amount


class PriceForm(TermsForm):
    """A new price, or one that no subscription has used yet."""

    can_pause = forms.TypedChoiceField(
        label=_("Can be paused"),
        required=False,
        choices=[("", _("As usual: metered yes, paid in advance no")), ("True", _("Yes")), ("False", _("No"))],
        coerce=lambda value: value == "True",
        empty_value=None,
        help_text=_("Customers may pause the subscription."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is not None and "can_pause" in self.fields:
            field = self.fields["can_pause"]
            assert isinstance(field, forms.TypedChoiceField)
            field.choices, field.required = [("True", _("Yes")), ("False", _("No"))], True

    def clean(self) -> dict[str, Any]:
        """Refuse a second price for the plan and currency: that must be a new version."""
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("can_pause") is None:
            # catalogue.first_version knows what is usual.
            cleaned.pop("can_pause", None)
        plan, currency = cleaned.get("plan"), cleaned.get("currency")
        is_new = self.instance.pk is None and plan is not None and plan.pk is not None
        if is_new and Price.objects.filter(plan=plan, currency=currency, archived_at=None).exists():
            raise forms.ValidationError(
                _("The plan already has a price in this currency. Open it and create a new version.")
            )
        return cleaned


class NewVersionForm(TermsForm):
    """The terms of a new version. catalogue.new_version checks that they are consistent."""

    class Meta:
        model = Price
        fields = TERMS

    def hint(self) -> str:
        """Add the present price to the help text."""
        return super().hint() + " " + gettext("Now: %s.") % shown(self.instance)

    def _post_clean(self) -> None:
        """Skip the model's checks: catalogue.new_version sets plan, currency and version and runs them."""


@admin.register(Price)
class PriceAdmin(TracedMixin, ListMixin):
    """Versions of prices. One that a subscription has used cannot change: a new version replaces it."""

    list_display = ["__str__", "plan", "currency", "amount_shown", "version", "is_current", "used_at"]
    list_filter = ["plan", currency_filter(), present("archived_at", _("replaced by a newer version"))]
    list_select_related = ["plan"]
    ordering = ["plan__position", "currency", "-version"]
    form = PriceForm
    new_version_form = NewVersionForm
    change_form_template = "admin/subscriptions/price.html"

    def get_readonly_fields(self, request: HttpRequest, obj: Price | None = None) -> list[str]:
        """Make used and archived prices read-only; of the others fix the plan and the currency."""
        if obj is None:
            return []
        fixed = ["plan", "currency", "amount_shown", "version", "used_at", "archived_at"]
        return [*fixed, *TERMS] if obj.used_at or obj.archived_at else fixed

    def get_fields(self, request: HttpRequest, obj: Price | None = None) -> list[Any]:
        """Add the fields that the system sets, for an existing price."""
        if obj is None:
            return ["plan", "currency", *TERMS]
        # A read-only price shows `amount_shown` instead of the minor units.
        terms = [name for name in TERMS if name != "amount" or not (obj.used_at or obj.archived_at)]
        return ["plan", "currency", "amount_shown", *terms, "version", "used_at", "archived_at"]

    def get_urls(self) -> list[URLPattern]:
        """Add the page for a new version."""
        new = path(
            "<int:pk>/new-version/", self.admin_site.admin_view(self.new_version), name="subscriptions_price_new"
        )
        return [new, *super().get_urls()]

    def has_change_permission(self, request: HttpRequest, obj: Price | None = None) -> bool:
        """Show a used or archived price for reading, without buttons that could save nothing."""
        is_fixed = obj is not None and bool(obj.used_at or obj.archived_at)
        return not is_fixed and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Forbid deletion: a new version archives the price."""
        return False

    def save_model(self, request: HttpRequest, obj: Price, form: Any, change: bool) -> None:
        """Save a changed price; create a new one through catalogue.first_version."""
        if change:
            super().save_model(request, obj, form, change)
            return
        terms = {name: form.cleaned_data[name] for name in TERMS if name in form.cleaned_data}
        price = catalogue.first_version(obj.plan, now=timezone.now(), currency=obj.currency, **terms)
        obj.pk, obj.version = price.pk, price.version
        obj._state.adding = False

    def new_version(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show the form for the next version, and put it on sale when it is submitted."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        price = get_object_or_404(Price.objects.select_related("plan"), pk=pk)
        form = self.new_version_form(request.POST or None, instance=Price(**_terms(price)))
        if request.method == "POST" and (made := self._versioned(request, price, form)):
            return HttpResponseRedirect(reverse("admin:subscriptions_price_change", args=[made.pk]), status=303)
        kept = Subscription.objects.filter(price__plan=price.plan_id, price__currency=price.currency, ended_at=None)
        context = {
            **self.admin_site.each_context(request), "title": _("New version"), "price": price, "form": form,
            "kept": kept.values("price__version").annotate(count=Count("pk")).order_by("price__version"),
        }  # fmt: skip
        return TemplateResponse(request, "admin/subscriptions/new_version.html", context | {"opts": self.opts})

    def _versioned(self, request: HttpRequest, price: Price, form: NewVersionForm) -> Price | None:
        if not form.is_valid():
            return None
        try:
            with transaction.atomic():
                made = catalogue.new_version(price, now=timezone.now(), **form.cleaned_data)
                request.staff_changes = list(_changes(form, price, made))  # type: ignore[attr-defined]
                versions = {"version": made.version, "old": price.version}
                result = gettext("Version %(version)d replaces version %(old)d.") % versions
                self.trace(request, made, "new_version", gettext("New version"), result=result)
        except DomainError as error:
            form.add_error(error.param if error.param in form.fields else None, error.detail)
            return None
        words = {"version": made.version, "price": shown(made)}
        said = _("Version %(version)d is on sale: %(price)s. Existing customers keep their version.")
        self.message_user(request, said % words)
        return made

    @admin.display(description=_("amount"))
    def amount_shown(self, price: Price) -> str:
        """Return the amount and the interval."""
        return shown(price)

    @admin.display(description=_("current"), boolean=True)
    def is_current(self, price: Price) -> bool:
        """Return whether this version is current."""
        return price.archived_at is None


def _changes(form: NewVersionForm, before: Price, after: Price) -> Iterable[Change]:
    """Yield the terms of a price and of the version that replaces it."""
    yield Change(gettext("Price"), shown(before), shown(after))
    for name in TERMS:
        if name not in ("amount", "interval", "interval_count"):
            old, new = (str(getattr(price, name)) or NOTHING for price in (before, after))
            yield Change(str(form.fields[name].label or name), old, new)


def _terms(price: Price) -> dict[str, Any]:
    return {name: getattr(price, name) for name in ("plan", "currency", *TERMS)}
