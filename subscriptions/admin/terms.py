"""The forms of the terms of a price. Staff type amounts in major units, parsed exactly as in the API."""

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.rehearsal import NOTHING
from ledger.display import money
from ledger.money import EXPONENTS, Money, NotMoney, exponent_of
from subscriptions import catalogue
from subscriptions.labels import every
from subscriptions.models import Price

TERMS = tuple(catalogue.PriceTerms.__annotations__)


def shown(price: Price) -> str:
    """Return the amount and the interval of a price: `₽749.00 a month`."""
    return f"{money(price.money)} {every(price)}"


def word(value: object) -> str:
    """Return a term as text."""
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    return NOTHING if value in (None, "") else str(value)


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
    """A new price."""

    can_pause = forms.TypedChoiceField(
        label=_("Can be paused"),
        required=False,
        choices=[("", _("As usual: metered yes, paid in advance no")), ("True", _("Yes")), ("False", _("No"))],
        coerce=lambda value: value == "True",
        empty_value=None,
        help_text=_("Customers may pause the subscription."),
    )

    def clean(self) -> dict[str, Any]:
        """Leave out what was not chosen: catalogue.first_version knows what is usual."""
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("can_pause") is None:
            cleaned.pop("can_pause", None)
        return cleaned
