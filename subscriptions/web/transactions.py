"""The list of a wallet's transactions as a page and as CSV, and the page that explains one of them."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from accounts.web.auth import SignedInRequest
from core.csv_text import BOM, csv_text
from ledger import months, statements
from ledger.labels import REASONS
from ledger.models import Account, Transaction
from subscriptions import overview
from subscriptions.explain.arithmetic import explainable
from subscriptions.web import balances
from subscriptions.web.explanation import explain_transaction
from subscriptions.web.statement import StatementLine, statement_lines

# Transactions on one page.
PAGE = 50
HEADER = ["date", "reason", "description", "amount", "currency", "balance_after", "id", "payment", "subscription"]
REASON_CHOICES = [(reason.value, REASONS[reason]) for reason in Transaction.Reason]


@require_safe
@login_required
def transactions(request: SignedInRequest) -> HttpResponse:
    """Show a page of the transactions, newest first, each with the balance after it."""
    wallets, wallet = _wallets(request)
    form = LogFilter(request.GET)
    bounds, before = form.bounds(), form.page_after()
    rows = statements.statement(wallet.pk, before_id=before, limit=PAGE + 1, **bounds) if wallet else []
    views = {each.currency: each for each in overview.of(request.user, now=timezone.now()).views}
    held = views[wallet.currency] if wallet else None
    context = {
        "wallets": wallets,
        "wallet": wallet,
        "form": form,
        "held": held,
        "totals": statements.totals(wallet, **form.summed(now=held.now)) if wallet and held else None,
        "balances": balances.shown([each.spendable for each in views.values()]),
        "lines": list(statement_lines(rows[:PAGE])),
        "older": form.older(rows[PAGE - 1].pk) if len(rows) > PAGE else "",
    }
    return render(request, "subscriptions/transactions.html", context)


@require_safe
@login_required
def transactions_csv(request: SignedInRequest) -> StreamingHttpResponse:
    """Stream all the transactions that match the filters as CSV."""
    _all, wallet = _wallets(request)
    rows = statements.transactions_of(wallet.pk, **LogFilter(request.GET).bounds()).iterator(2000) if wallet else []
    name = f"transactions-{wallet.currency}.csv" if wallet else "transactions.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    lines = csv_lines(statement_lines(rows))
    return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)


@require_safe
@login_required
def transaction(request: SignedInRequest, number: int) -> HttpResponse:
    """Explain one transaction: its amount is calculated again and compared."""
    row = get_object_or_404(explainable(request.user.pk), pk=number)
    return render(request, "subscriptions/transaction.html", {"explanation": explain_transaction(row)})


def _wallets(request: SignedInRequest) -> tuple[list[Account], Account | None]:
    """Return the customer's wallets, and the one of the requested currency, or else the first."""
    wallets = list(Account.objects.filter(owner=request.user, kind=Account.Kind.WALLET).order_by("currency"))
    requested = [wallet for wallet in wallets if wallet.currency == request.GET.get("currency")]
    return wallets, next(iter(requested + wallets), None)


class DateInput(forms.DateInput):
    input_type = "date"

    def format_value(self, value: Any) -> str | None:
        """Return the date in ISO 8601, which the browser's date field needs in any language."""
        return str(value.isoformat()) if hasattr(value, "isoformat") else value and str(value)


class LogFilter(forms.Form):
    """The filters of the list, all optional. Both days are inclusive, in the customer's time zone."""

    reason = forms.ChoiceField(label=_("What for"), choices=[("", _("All")), *REASON_CHOICES], required=False)
    start = forms.DateField(label=_("From"), widget=DateInput, required=False)
    end = forms.DateField(label=_("To"), widget=DateInput, required=False)
    before = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=1, max_value=2**63 - 1)

    @property
    def is_used(self) -> bool:
        """Whether anything is filtered; one that is not valid filters nothing."""
        return self.is_valid() and any(self.cleaned_data[name] for name in ("reason", "start", "end"))

    @property
    def is_narrowed(self) -> bool:
        """Whether the page leaves anything out, of what is filtered or newer."""
        return self.is_used or self.page_after() is not None

    def page_after(self) -> int | None:
        """Return the id of the transaction after which the page begins; None for the first page."""
        return self.cleaned_data.get("before") if self.is_valid() else None

    def older(self, last: int) -> str:
        """Return the query string of the next page, which begins after the transaction with the id `last`."""
        filters = {name: value for name, value in self.data.items() if name in ("currency", *self.fields)}
        return urlencode(filters | {"before": last})

    def bounds(self) -> dict[str, Any]:
        """Return the arguments for ledger.statements; without any filter if the form is not valid."""
        valid = self.cleaned_data if self.is_valid() else {}
        start, end, reason = valid.get("start"), valid.get("end"), valid.get("reason")
        # date.max has no next day, and nothing comes after it.
        return {
            "reasons": [reason] if reason else [],
            "start": _midnight(start) if start else None,
            "end": _midnight(end + timedelta(days=1)) if end and end < date.max else None,
        }

    def summed(self, *, now: datetime) -> dict[str, Any]:
        """Return the bounds of the totals: all that the filters let through, or without a filter the month of `now`."""
        if self.is_used:
            return self.bounds()
        zone = timezone.get_current_timezone()
        today = now.astimezone(zone)
        start, end = months.bounds(today.year, today.month, zone)
        return {"start": start, "end": end}


def _midnight(day: date) -> datetime:
    """Return when a day begins in the customer's time zone; the first and the last possible days begin in UTC."""
    try:
        return datetime.combine(day, time(), timezone.get_current_timezone()).astimezone(UTC)
    except OverflowError:
        return datetime.combine(day, time(), UTC)


def csv_lines(lines: Iterable[StatementLine]) -> Iterator[str]:
    """Yield the CSV file line by line. It begins with a byte order mark, so that spreadsheets read it as UTF-8."""
    yield BOM + csv_text([HEADER])
    for line in lines:
        amount, after = line.money.decimal(), line.balance.decimal()
        ids = line.reference, line.payment, line.about
        yield csv_text([(line.at.isoformat(), line.reason, line.description, amount, line.money.currency, after, *ids)])
