"""What the log can be narrowed to."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.utils.translation import gettext_lazy as _

from ledger.models import Transaction
from ledger.wording import REASONS

# What a customer meets; the rest is found under "all".
ASKED_FOR = [(reason.value, REASONS[reason]) for reason in Transaction.Reason]


class DateInput(forms.DateInput):
    input_type = "date"

    def format_value(self, value: Any) -> str | None:
        """Write ISO 8601, which is what the browser's field takes in any language."""
        return str(value.isoformat()) if hasattr(value, "isoformat") else value and str(value)


class LogFilter(forms.Form):
    """All optional. Days are whole and both included, in UTC."""

    reason = forms.ChoiceField(label=_("What for"), choices=[("", _("All")), *ASKED_FOR], required=False)
    start = forms.DateField(label=_("From"), widget=DateInput, required=False)
    end = forms.DateField(label=_("To"), widget=DateInput, required=False)
    before = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=1, max_value=2**63 - 1)

    def page_after(self) -> int | None:
        """Return where the page begins: after the transaction with this id."""
        return self.cleaned_data.get("before") if self.is_valid() else None

    def older(self, last: int) -> str:
        """Return the query of the next page, which begins after the transaction with the id `last`."""
        narrowed = {name: value for name, value in self.data.items() if name in ("currency", *self.fields)}
        return urlencode(narrowed | {"before": last})

    def bounds(self) -> dict[str, Any]:
        """Return the filters of ledger.statements; those that do not hold water are left out."""
        good = self.cleaned_data if self.is_valid() else {}
        start, end, reason = good.get("start"), good.get("end"), good.get("reason")
        # The calendar's last day has no next, and nothing comes after it either.
        return {
            "reasons": [reason] if reason else [],
            "start": datetime.combine(start, time(), UTC) if start else None,
            "end": datetime.combine(end, time(), UTC) + timedelta(days=1) if end and end < date.max else None,
        }
