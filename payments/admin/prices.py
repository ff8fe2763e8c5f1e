"""The admin of prices refuses a currency in which no customer could pay. Subscriptions know no gateways."""

from typing import Any

from django import forms
from django.contrib import admin
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from payments.gateways import registry
from subscriptions.admin.first_price import AddPriceForm, FirstPriceForm
from subscriptions.admin.plans import FirstPriceInline, PlanAdmin
from subscriptions.admin.prices import PriceAdmin
from subscriptions.admin.versions import VersionForm
from subscriptions.models import Plan, Price

# subscriptions.admin has registered them; the classes below take their places.
admin.site.unregister([Plan, Price])


def check_taken(currency: str) -> str:
    """Return the currency; raise a ValidationError if no offered gateway takes it."""
    taken = registry.currencies()
    if currency not in taken:
        text = _("No payment gateway of this site takes %(currency)s. Possible: %(taken)s.")
        raise forms.ValidationError(text % {"currency": currency, "taken": ", ".join(taken) or "-"})
    return currency


class TakenFirstPriceForm(FirstPriceForm):
    """The first price of a plan, in a currency that an offered gateway takes."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["currency"].help_text = gettext("One of: %s.") % ", ".join(registry.currencies())

    def clean_currency(self) -> str:
        """Refuse a currency that no offered gateway takes."""
        return check_taken(super().clean_currency())


class TakenVersionForm(VersionForm):
    """A new version of a price, in a currency that an offered gateway takes."""

    def clean(self) -> dict[str, Any]:
        """Refuse a new version in a currency that no offered gateway takes any more."""
        cleaned = super().clean()
        check_taken(self.row.currency)
        return cleaned


class TakenAddPriceForm(AddPriceForm):
    """A further price of a plan, in a currency that an offered gateway takes."""

    terms_form = TakenFirstPriceForm


@admin.register(Price)
class TakenPriceAdmin(PriceAdmin):
    """Prices in currencies that customers can pay in."""

    acts = {**PriceAdmin.acts, "new-version": TakenVersionForm}


class TakenFirstPriceInline(FirstPriceInline):
    """The first prices of a new plan, in currencies that customers can pay in."""

    form = TakenFirstPriceForm


@admin.register(Plan)
class TakenPlanAdmin(PlanAdmin):
    """Plans whose first prices are in currencies that customers can pay in."""

    first_prices = TakenFirstPriceInline
    acts = {**PlanAdmin.acts, "add-price": TakenAddPriceForm}
