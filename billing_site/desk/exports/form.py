"""The form of an export, for the page and for the command: which, from, to, currency, byte order mark."""

from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from billing_site.desk.exports.balances import BALANCES, DEBTS
from billing_site.desk.exports.payments import PAYMENTS
from billing_site.desk.exports.refunds import REFUNDS
from billing_site.desk.exports.revenue import REVENUE
from billing_site.desk.exports.table import Export, Extract
from billing_site.desk.exports.transactions import TRANSACTIONS
from ledger.models import Account

EXPORTS: dict[str, Export] = {
    export.name: export for export in (TRANSACTIONS, PAYMENTS, REVENUE, BALANCES, DEBTS, REFUNDS)
}
# Nothing is older, and every time zone can write it.
EARLIEST = date(1970, 1, 2)
# Names in an address, on a page and on the command line that Python or Django need for something else.
OUTER_NAMES = {"first": "from", "last": "to", "has_bom": "bom"}
NOT_A_DAY = _("This is not a day. Write it as 2026-01-31.")


class DayInput(forms.DateInput):
    """A browser's date field, which needs ISO 8601 in any language."""

    input_type = "date"


class DayField(forms.DateField):
    """A day in ISO 8601."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            input_formats=["%Y-%m-%d"], widget=DayInput(format="%Y-%m-%d"), error_messages={"invalid": NOT_A_DAY},
            **options,
        )  # fmt: skip


class ExportForm(forms.Form):
    """Which export of which days. `now` decides which days have begun."""

    name = forms.ChoiceField(label=_("File"), widget=forms.RadioSelect)
    first = DayField(label=_("From"), required=False)
    last = DayField(label=_("To"))
    currency = forms.ChoiceField(label=_("Currency"), required=False)
    has_bom = forms.BooleanField(
        label=_("For Excel"), required=False, help_text=_("Begin with a byte order mark, so that Excel reads UTF-8.")
    )

    def __init__(self, data: Any = None, *, now: datetime) -> None:
        super().__init__(data, initial=_last_month(now))
        self.now = now
        name, currency = self.fields["name"], self.fields["currency"]
        assert isinstance(name, forms.ChoiceField)
        assert isinstance(currency, forms.ChoiceField)
        currencies = _currencies()
        name.choices = [(export.name, export.title) for export in EXPORTS.values()]
        name.error_messages["invalid_choice"] = gettext("There is no export %(value)s. Choose one of: {}.").format(
            ", ".join(EXPORTS)
        )
        currency.choices = [("", _("All")), *((code, code) for code in currencies)]
        currency.error_messages["invalid_choice"] = gettext(
            "No money has moved in %(value)s. Choose one of: {}."
        ).format(", ".join(currencies) or gettext("none yet"))
        self.fields["last"].help_text = gettext("Both days are included, in the time zone %s.") % (
            timezone.get_default_timezone_name()
        )

    def add_prefix(self, field_name: str) -> str:
        """Return the name of a field in an address."""
        return OUTER_NAMES.get(field_name, field_name)

    def clean_first(self) -> date | None:
        """Refuse a day before everything."""
        return self._checked(self.cleaned_data.get("first"))

    def clean_last(self) -> date | None:
        """Refuse a day that has not begun."""
        return self._checked(self.cleaned_data.get("last"))

    def clean(self) -> dict[str, Any]:
        """Refuse a span without a beginning, or that ends before it begins."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        first, last, export = cleaned.get("first"), cleaned.get("last"), EXPORTS.get(cleaned.get("name", ""))
        if export and export.has_start and first is None and "first" not in self.errors:
            self.add_error("first", gettext("This file needs a first day."))
        if export and export.has_start and first and last and first > last:
            self.add_error("last", gettext("The last day is before the first one, which is %s.") % first)
        return cleaned

    def extract(self) -> Extract:
        """Return what was asked for. The form must be valid."""
        fields = dict(self.cleaned_data)
        return Extract(EXPORTS[fields.pop("name")], **fields)

    def problems(self) -> list[str]:
        """Return each error with the name of its field in an address: `from: This is not a day...`."""
        return [f"{self.add_prefix(name)}: {text}" for name, texts in self.errors.items() for text in texts]

    def _checked(self, day: date | None) -> date | None:
        today = timezone.localdate(self.now, timezone.get_default_timezone())
        if day and day > today:
            raise forms.ValidationError(gettext("This day has not begun. The latest one is %s.") % today)
        if day and day < EARLIEST:
            raise forms.ValidationError(gettext("This day is too early. The earliest one is %s.") % EARLIEST)
        return day


def _last_month(now: datetime) -> dict[str, Any]:
    """Return the form's first values: the last whole month."""
    end = timezone.localdate(now, timezone.get_default_timezone()).replace(day=1) - timedelta(days=1)
    return {"name": TRANSACTIONS.name, "first": end.replace(day=1), "last": end}


def _currencies() -> list[str]:
    """Return the currencies in which money has moved, by the few system accounts: all money comes from one of them."""
    accounts = Account.objects.filter(owner=None).order_by("currency")
    return list(accounts.values_list("currency", flat=True).distinct())
