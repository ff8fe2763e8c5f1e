"""The log of a customer's wallet, as a page and as CSV, and why one of its lines has its amount."""

import csv
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.web.auth import SignedInRequest
from ledger import statements
from ledger.labels import REASONS
from ledger.models import Account, Transaction
from subscriptions.web import explanation
from subscriptions.web.statement import StatementLine, named

PAGE = 50


@require_safe
@never_cache
@login_required
def transactions(request: SignedInRequest) -> HttpResponse:
    """What came in and went out, newest first, with the balance after each."""
    wallets, wallet = _wallets(request)
    form = LogFilter(request.GET)
    bounds, before = form.bounds(), form.page_after()
    rows = statements.statement(wallet.pk, before_id=before, limit=PAGE + 1, **bounds) if wallet else []
    context = {
        "wallets": wallets,
        "wallet": wallet,
        "form": form,
        "lines": list(named(rows[:PAGE])),
        "older": form.older(rows[PAGE - 1].pk) if len(rows) > PAGE else "",
        "is_narrowed": any(bounds.values()) or before,
    }
    return render(request, "subscriptions/transactions.html", context)


@require_safe
@never_cache
@login_required
def transactions_csv(request: SignedInRequest) -> StreamingHttpResponse:
    """The same as a file, whole."""
    _all, wallet = _wallets(request)
    rows = statements.transactions_of(wallet.pk, **LogFilter(request.GET).bounds()).iterator(2000) if wallet else []
    name = f"transactions-{wallet.currency}.csv" if wallet else "transactions.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(csv_lines(named(rows)), content_type="text/csv; charset=utf-8", headers=headers)


@require_safe
@never_cache
@login_required
def transaction(request: SignedInRequest, number: int) -> HttpResponse:
    """One line of the log, with its amount worked out again."""
    mine = Transaction.objects.filter(customer=request.user, wallet__isnull=False)
    row = get_object_or_404(mine.select_related("debit", "credit"), pk=number)
    return render(request, "subscriptions/transaction.html", {"told": explanation.of(row)})


def _wallets(request: SignedInRequest) -> tuple[list[Account], Account | None]:
    """Return the customer's wallets, and the one that is asked for or else the first."""
    mine = list(Account.objects.filter(owner=request.user, kind=Account.Kind.WALLET).order_by("currency"))
    asked = [wallet for wallet in mine if wallet.currency == request.GET.get("currency")]
    return mine, next(iter(asked + mine), None)


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


HEADER = ["date", "reason", "description", "amount", "currency", "balance_after"]
# OWASP: a cell that begins with one of these is taken for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


class _Echo:
    def write(self, text: str) -> str:
        return text


def escape_formula(text: str) -> str:
    """Keep a spreadsheet from reading `text` as a formula. Amounts are numbers and do not come through here."""
    return "'" + text if text.startswith(_FORMULA) else text


def csv_lines(lines: Iterable[StatementLine]) -> Iterator[str]:
    """Write lines one by one, with the mark by which spreadsheets know UTF-8."""
    writer = csv.writer(_Echo())
    yield "\ufeff" + str(writer.writerow(HEADER))
    for line in lines:
        money, balance = line.money, line.balance
        cells = [
            line.at.isoformat(),
            line.reason,
            escape_formula(line.description),
            money.plain(),
            money.currency,
            balance.plain(),
        ]
        yield str(writer.writerow(cells))
