"""The log of a customer's wallet, as a page and as CSV, and why one of its lines has its amount."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.web.requests import SignedIn
from ledger import statements
from ledger.models import Account, Transaction
from ledger.web.forms import LogFilter
from ledger.web.sheet import csv_of
from subscriptions.web import explained
from subscriptions.web.statement import named

PAGE = 50


@require_safe
@never_cache
@login_required
def transactions(request: SignedIn) -> HttpResponse:
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
    return render(request, "ledger/transactions.html", context)


@require_safe
@never_cache
@login_required
def transactions_csv(request: SignedIn) -> StreamingHttpResponse:
    """The same as a file, whole."""
    _all, wallet = _wallets(request)
    rows = statements.transactions_of(wallet.pk, **LogFilter(request.GET).bounds()).iterator(2000) if wallet else []
    name = f"transactions-{wallet.currency}.csv" if wallet else "transactions.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(csv_of(named(rows)), content_type="text/csv; charset=utf-8", headers=headers)


@require_safe
@never_cache
@login_required
def transaction(request: SignedIn, number: int) -> HttpResponse:
    """One line of the log, with its amount worked out again."""
    mine = Transaction.objects.filter(customer=request.user, wallet__isnull=False)
    row = get_object_or_404(mine.select_related("debit", "credit"), pk=number)
    return render(request, "ledger/transaction.html", {"told": explained.of(row)})


def _wallets(request: SignedIn) -> tuple[list[Account], Account | None]:
    """Return the customer's wallets, and the one that is asked for or else the first."""
    mine = list(Account.objects.filter(owner=request.user, kind=Account.Kind.WALLET).order_by("currency"))
    asked = [wallet for wallet in mine if wallet.currency == request.GET.get("currency")]
    return mine, next(iter(asked + mine), None)
