"""The statements of a customer's wallets by month: the list, one as a page to print, and as PDF."""

from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts import billing_details
from accounts.web.auth import SignedInRequest
from core import dates, pdf
from core.brand import brand
from ledger import months
from ledger.labels import REASONS
from ledger.models import Account, Transaction
from ledger.money import Money


@dataclass(frozen=True, slots=True)
class Month:
    """A month in the list."""

    path: str
    title: str


@require_safe
@login_required
def statement_list(request: SignedInRequest) -> HttpResponse:
    """List the months that have a statement, the newest first."""
    wallets = list(Account.objects.filter(owner=request.user, kind=Account.Kind.WALLET).order_by("currency"))
    now, zone = timezone.now(), timezone.get_current_timezone()
    lists = [
        (wallet, [Month(_path(year, month), dates.month(year, month)) for year, month in each])
        for wallet in wallets
        if (each := list(months.months_of(wallet, now=now, zone=zone)))
    ]
    return render(request, "subscriptions/statements.html", {"lists": lists})


@require_safe
@login_required
def statement(request: SignedInRequest, currency: str, month: str) -> HttpResponse:
    """Show the statement of a month."""
    return render(request, "subscriptions/statement.html", _context(request, currency, month))


@require_safe
@login_required
def statement_pdf(request: SignedInRequest, currency: str, month: str) -> HttpResponse:
    """Return the statement of a month as PDF, or without Pango the page."""
    context = _context(request, currency, month)
    made = pdf.response("subscriptions/statement_print.html", context, name=f"statement-{month}-{currency}")
    return made or render(request, "subscriptions/statement.html", context)


def _path(year: int, month: int) -> str:
    return f"{year:04}-{month:02}"


def _context(request: SignedInRequest, currency: str, month: str) -> dict[str, object]:
    wallet = Account.objects.filter(owner=request.user, kind=Account.Kind.WALLET, currency=currency).first()
    if wallet is None:
        raise Http404
    zone, now = timezone.get_current_timezone(), timezone.now()
    known = {_path(*each): each for each in months.months_of(wallet, now=now, zone=zone)}
    if month not in known:
        raise Http404
    year, number = known[month]
    found = months.statement(wallet, year=year, month=number, zone=zone)
    return {
        "statement": found,
        "came_in": _named(found.came_in_by),
        "spent": _named(found.spent_by),
        "title": dates.month(year, number),
        "zone": str(zone),
        "is_running": now < found.end,
        "month": month,
        "currency": currency,
        "customer": billing_details.current(request.user),
        "brand": brand(),
    }


def _named(sums: list[tuple[str, Money]]) -> list[tuple[str, Money]]:
    return [(str(REASONS[Transaction.Reason(reason)]), money) for reason, money in sums]
