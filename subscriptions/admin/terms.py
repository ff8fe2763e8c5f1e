"""The forms in which staff set a price. Amounts are typed in major units, and read as exactly as the API reads them."""

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ledger.display import money
from ledger.money import EXPONENTS, Money, NotMoney, exponent_of
from subscriptions import prices
from subscriptions.models import Price
from subscriptions.wording import every

TERMS = tuple(prices.Terms.__annotations__)


def shown(price: Price) -> str:
    """Say what a price costs and how often it comes round: `RUB 749.00 a month`."""
    return f"{money(price.money)} {every(price)}"


class TermsForm(forms.ModelForm):
    """The amount is a plain decimal in the price's currency: `749.00` or `749`, and never minor units."""

    amount = forms.CharField(
        label=_("amount"),
        help_text=_("In units of the currency, not in its hundredths: 749.00, or 749."),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.currency in EXPONENTS and "amount" in self.fields:
            self.initial["amount"] = self.instance.money.plain()
            self.fields["amount"].help_text = self.hint()

    def hint(self) -> str:
        """Say how to write an amount in the currency, which is known."""
        currency = self.instance.currency
        example = Money(749 * 10 ** exponent_of(currency), currency).plain()
        return gettext("In %(currency)s, such as %(example)s.") % {"currency": currency, "example": example}

    def clean_currency(self) -> str:
        """Refuse a currency whose decimals nobody knows."""
        currency: str = self.cleaned_data["currency"]
        try:
            exponent_of(currency)
        except NotMoney as error:
            raise forms.ValidationError(str(error)) from error
        return currency

    def clean_amount(self) -> int:
        """Return minor units; refuse what the currency has no coin for."""
        currency = self.cleaned_data.get("currency") or self.instance.currency
        if not currency:
            return 0  # The currency has an error of its own.
        try:
            amount = Money.parse(self.cleaned_data["amount"], currency).amount
        except NotMoney as error:
            raise forms.ValidationError(str(error)) from error
        if amount < 0:
            raise forms.ValidationError(_("A price is zero or more."))
        return amount


class PriceForm(TermsForm):
    """A first version, or one nobody has had yet."""

    def clean(self) -> dict[str, Any]:
        """Point to the new version where there is a price already."""
        good: dict[str, Any] = super().clean() or {}
        plan, currency = good.get("plan"), good.get("currency")
        if self.instance.pk is None and Price.objects.filter(plan=plan, currency=currency, archived_at=None).exists():
            raise forms.ValidationError(_("The plan has a price in this currency. Open it and make a new version."))
        return good


class NewVersionForm(TermsForm):
    """The terms of the version that takes a price's place. That they go together is checked when it is made."""

    class Meta:
        model = Price
        fields = TERMS

    def hint(self) -> str:
        """Put the present price beside the new one."""
        return super().hint() + " " + gettext("Now: %s.") % shown(self.instance)

    def _post_clean(self) -> None:
        """Leave the model's checks to prices.new_version: plan, currency and version are its business."""
