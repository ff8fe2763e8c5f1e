"""The page that pays what the balance lacks for a change of plan or quantity, which is made with that money."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.web.auth import SignedInRequest
from core import idempotency
from core.errors import DomainError
from ledger import display
from ledger.money import LARGEST, Money
from payments import amounts, checkout
from payments.amounts import AmountDue, NothingToPay
from payments.checkout_request import CheckoutRequest, find_payment
from payments.paid_changes import ChangeTo
from payments.web.forms import PayForm, go_on, no_way_to_pay, refuse, saving_of, start_payment
from payments.web.policy import leads_to_gateways
from subscriptions import overview, quotes
from subscriptions.catalogue import MOST_QUANTITY
from subscriptions.web.cards import Card
from subscriptions.web.quote import QuotePage
from subscriptions.web.subscriptions import get_card


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePayment:
    """What is paid, and what becomes of it: the page's title and the rows of the change as `quote` shows them."""

    quote: QuotePage
    amount: Money

    @property
    def balance(self) -> Money:
        """The balance before the payment."""
        return Money(self.quote.before.amount - self.amount.amount, self.amount.currency)

    @property
    def button(self) -> str:
        """The text of the button."""
        values = {"plan": self.quote.new.plan.title, "amount": display.money(self.amount)}
        if self.quote.is_quantity:
            return _("Pay %(amount)s and change the quantity") % values
        return _("Pay %(amount)s and change to %(plan)s") % values


def wanted(request: SignedInRequest, card: Card, *, now: datetime) -> ChangeTo | None:
    """Return what the query asks to change to: `plan` or `quantity`. None if it makes no sense.

    Raises PlanNotFound or PlanNotSoldInCurrency.
    """
    code, number = request.GET.get("plan", ""), request.GET.get("quantity", "")
    if number.isdecimal() and len(number) <= len(str(MOST_QUANTITY)) and 1 <= int(number) <= MOST_QUANTITY:
        return ChangeTo(card.price, int(number))
    return ChangeTo(quotes.price_for(card.row, code, now=now)) if code else None


def _request(request: SignedInRequest, card: Card, change: ChangeTo, *, now: datetime) -> CheckoutRequest:
    saving = saving_of(request, now=now)
    return {
        "subscription": card.row,
        "change": change,
        "gateway": request.POST.get("method", ""),
        "idempotency_key": idempotency.key_of("form", request.POST.get("form_key")),
        "save_method": saving["save_method"],
        "agreement": saving["agreement"],
    }


def _shown(request: SignedInRequest) -> int | None:
    """Return the amount on the button that was pressed."""
    sent = request.POST.get("shown", "")
    return int(sent) if sent.isdecimal() and len(sent) < len(str(LARGEST)) else None


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@leads_to_gateways
def change_payment(request: SignedInRequest, public_id: str) -> HttpResponse:
    """Show what a change costs that the balance cannot pay, or start the payment that is followed by the change.

    A change that needs no payment, or is not possible, leads back to the pages of changes.
    """
    now = timezone.now()
    card = get_card(request, public_id, now=now)
    back = resolve_url("subscription_quantity" if request.GET.get("quantity") else "subscription_change", public_id)
    try:
        change = wanted(request, card, now=now)
        if change is None:
            return HttpResponseRedirect(back, status=303)
        terms = _request(request, card, change, now=now)
        if sent_before := find_payment(request.user, terms):
            return HttpResponseRedirect(go_on(sent_before, now=now), status=303)
        due = amounts.for_change(card.row, *change, now=now, shown=_shown(request))
    except NothingToPay:
        return HttpResponseRedirect(f"{back}?{request.GET.urlencode()}", status=303)
    except DomainError as error:
        messages.error(request, error.detail)
        return HttpResponseRedirect(back, status=303)
    return _show_or_pay(request, card, due, terms, now=now)


def _show_or_pay(
    request: SignedInRequest, card: Card, due: AmountDue, terms: CheckoutRequest, *, now: datetime
) -> HttpResponse:
    """Start the payment if the form that was sent is valid; else show the page."""
    form = PayForm(request.POST or None, amount=due.money, customer=request.user)
    try:
        if request.method == "POST" and form.is_valid():
            terms["amount"] = form.cleaned_data["shown"]
            url = start_payment(partial(checkout.start, request.user, now=now, **terms))
            return HttpResponseRedirect(url, status=303)
    except DomainError as error:
        refuse(form, error)
    context = {"form": form, "card": card, "page": _page(card, due, now=now), "no_way_to_pay": no_way_to_pay(due.money)}
    return render(request, "payments/change_payment.html", context, status=422 if form.errors else 200)


def _page(card: Card, due: AmountDue, *, now: datetime) -> ChangePayment:
    assert due.change is not None
    changed = overview.peek(card.row.customer, due.money.currency, now=now)
    return ChangePayment(quote=QuotePage(quote=due.change.quote, card=card, changed=changed), amount=due.money)
