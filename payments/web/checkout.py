"""The checkout page of a plan: what it offers, its form, and buying; and starting a subscription from the balance."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404, render, resolve_url
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import User
from accounts.web.auth import SignedInRequest
from core import idempotency
from core.errors import DomainError
from ledger import display
from ledger.money import Money
from payments import checkout
from payments.web.forms import (
    BALANCE,
    REFUSALS,
    PayForm,
    continue_url,
    from_balance,
    gateways,
    new_form_key,
    refuse,
    start_payment,
)
from subscriptions import catalogue, dues, orders, overview
from subscriptions.books import Refused
from subscriptions.dues import Dues
from subscriptions.labels import span
from subscriptions.models import Price, Subscription
from subscriptions.web import pricing

# The numbers of intervals offered, by interval: how many one payment buys, or for a metered price how much use to pay
# in advance.
PERIODS = {
    "second": (3600, 86_400),
    "minute": (60, 1440),
    "hour": (24, 168, 720),
    "day": (1, 7, 30),
    "week": (1, 4, 12),
    "month": (1, 3, 6, 12),
    "year": (1, 2, 3),
}
# The largest quantity.
MOST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """What the page offers: a plan, `quantity` times, for `periods` intervals, at the current price."""

    price: Price
    quantity: int
    periods: int
    # The price of one payment.
    total: Money
    # What is asked for it now: the price, the debt, and what is added because gateways take no less.
    asked: Dues
    # The wallet's balance less what is used or due now but not posted yet.
    balance: Money
    is_trial: bool
    # When the next payment is due; None for metered use, which has none.
    next_at: datetime | None

    @property
    def due_now(self) -> Money:
        return Money(0 if self.is_trial else self.asked.amount, self.total.currency)

    @property
    def debt(self) -> Money:
        """What the customer owes; a payment pays it first. A trial is not given then."""
        return Money(self.asked.debt, self.total.currency)

    @property
    def rounding(self) -> Money:
        """The part of the payment that only stays on the balance, because gateways take no less."""
        return Money(self.asked.rounding, self.total.currency)

    @property
    def address(self) -> str:
        """The query string that leads back to this purchase on its plan's page."""
        return "?" + urlencode({"currency": self.price.currency, "quantity": self.quantity, "periods": self.periods})

    @property
    def covered(self) -> bool:
        """Whether the balance covers the total. Metered use would start with less, but the customer chose this much."""
        return not self.is_trial and self.balance.amount >= self.total.amount

    @property
    def starts_unpaid(self) -> bool:
        """Whether it can start from the balance with nothing charged at first. That is so for metered use."""
        return self.covered and self.price.metered

    @property
    def needs_no_gateway(self) -> bool:
        return self.is_trial or self.total.amount == 0


def offer(customer: User, price: Price, *, quantity: int, periods: int, now: datetime) -> Purchase:
    """Return the purchase with its amounts. Reads only."""
    wallet = overview.peek(customer, price.currency, now=now)
    is_trial = dues.starts_with_trial(customer, price, quantity=quantity, view=wallet)
    return Purchase(
        price=price,
        quantity=quantity,
        periods=periods,
        total=Money(catalogue.cost(price, quantity, periods), price.currency),
        asked=dues.of_new_order(wallet, price, quantity=quantity, periods=periods),
        balance=Money(wallet.available, price.currency),
        is_trial=is_trial,
        next_at=catalogue.next_payment_at(price, periods, is_trial=is_trial, now=now),
    )


def choices(price: Price, quantity: int) -> list[tuple[int, str, Money]]:
    """Return the offered numbers of intervals, each with its name and its cost."""
    return [
        (periods, span(price, periods), Money(catalogue.cost(price, quantity, periods), price.currency))
        for periods in PERIODS[price.interval]
    ]


def parse_terms(price: Price, periods: object, quantity: object) -> tuple[int, int]:
    """Return `periods` and `quantity` as numbers. Periods that are not offered become the smallest offered number.

    A quantity below or above the limits becomes the nearest limit; anything else becomes 1.
    """
    offered = PERIODS[price.interval]
    chosen = int(str(periods)) if str(periods).isdecimal() else offered[0]
    many = int(str(quantity)) if str(quantity).isdecimal() and len(str(quantity)) < 4 else 1
    return (chosen if chosen in offered else offered[0], min(max(many, 1), MOST))


def is_quantity(typed: str) -> bool:
    """Return whether the text is a quantity within the limits."""
    return typed.isdecimal() and len(typed) < 4 and 1 <= int(typed) <= MOST


def title(purchase: Purchase) -> str:
    """Return a purchase in one line: `Standard, 3 months` or `2 × Standard, 3 months`."""
    name = _("%(plan)s, %(span)s") % {"plan": purchase.price.plan.title, "span": span(purchase.price, purchase.periods)}
    return name if purchase.quantity == 1 else f"{purchase.quantity} × {name}"


class CheckoutForm(PayForm):
    """The form that buys what the page offers."""

    # The price of one payment as the page showed it. During a trial it differs from what is due now (`shown`).
    total = forms.IntegerField(widget=forms.HiddenInput, min_value=0)
    quantity = forms.IntegerField(
        label=gettext_lazy("Quantity"),
        min_value=1,
        max_value=MOST,
        widget=forms.NumberInput(attrs={"class": "few", "inputmode": "numeric"}),
    )
    auto_renew = forms.BooleanField(required=False)

    def __init__(self, data: QueryDict | None = None, *, purchase: Purchase) -> None:
        """Bind the form to the data sent, if any. A quantity that was not sent is taken from the purchase."""
        amounts = {"shown": purchase.due_now.amount, "total": purchase.total.amount, "quantity": purchase.quantity}
        super().__init__(
            {"quantity": purchase.quantity} | data.dict() if data else None,
            initial={"form_key": new_form_key(), "auto_renew": True, **amounts},
        )
        self.purchase = purchase
        errors = dict.fromkeys(("required", "invalid", "min_value", "max_value"), _quantities())
        self.fields["quantity"].error_messages.update(errors)
        self.offer(([from_balance(metered=purchase.price.metered)] if purchase.covered else []) + gateways())
        if purchase.needs_no_gateway:
            del self.fields["method"]

    def clean_shown(self) -> int:
        """Reject the form if the amount due now is not the one the customer has seen."""
        shown: int = self.cleaned_data["shown"]
        if shown != self.purchase.due_now.amount:
            self.reject_changed_amount(self.purchase.due_now)
        return shown

    def clean_total(self) -> int:
        """Reject the form if the price of later payments is not the one the customer has seen."""
        total: int = self.cleaned_data["total"]
        if "shown" in self.cleaned_data and total != self.purchase.total.amount:
            self.reject_changed_amount(self.purchase.total)
        return total

    def clean_quantity(self) -> int:
        """Reject a quantity that the purchase does not have, because it is outside the limits."""
        quantity: int = self.cleaned_data["quantity"]
        if quantity != self.purchase.quantity:
            raise forms.ValidationError(_quantities())
        return quantity

    @property
    def pays_from_balance(self) -> bool:
        return self.purchase.needs_no_gateway or self.cleaned_data["method"] == BALANCE.value


def _quantities() -> str:
    return _("Enter a whole number from 1 to %(most)d. You have not been charged.") % {"most": MOST}


def purchase_of(request: SignedInRequest, code: str, *, now: datetime) -> Purchase:
    """Return the purchase that the URL names: plan, currency, periods, quantity. Raises Http404 if not on sale.

    A valid quantity in the posted form takes precedence over the URL's; for an invalid one the form has an error.
    """
    try:
        sold = catalogue.on_sale(code)
    except catalogue.PlanNotFound:
        raise Http404 from None
    price = sold[pricing.currency_for(request.GET.get("currency"), list(sold), reader=request.user) or ""]
    typed = request.POST.get("quantity", "")
    quantity = typed if is_quantity(typed) else request.GET.get("quantity", "")
    periods, many = parse_terms(price, request.GET.get("periods", ""), quantity)
    return offer(request.user, price, quantity=many, periods=periods, now=now)


def bought_before(request: SignedInRequest, purchase: Purchase) -> str | None:
    """Return the URL that this form led to when it was sent before; None if it was not.

    Raises KeyReused if it was sent with other choices: a customer who went back in the browser's history and chose
    something else would mistake the first purchase for the second.
    """
    key = idempotency.key_of("form", request.POST.get("form_key"))
    terms = _terms(purchase, auto_renew=bool(request.POST.get("auto_renew")))
    checkout_request = _checkout_request(purchase, terms, gateway=request.POST.get("method", ""), key=key)
    # The amount it was sent with may have changed since: a debt is paid by now. The key alone says which form it was.
    del checkout_request["amount"]
    if payment := checkout.find(request.user, checkout_request):
        return continue_url(payment)
    subscription = orders.find(request.user, _order(purchase, terms, key=key))
    return resolve_url("subscription", subscription.public_id) if subscription else None


def buy(request: SignedInRequest, form: CheckoutForm, *, now: datetime) -> str:
    """Buy what the form shows and return the URL to redirect to. Raises DomainError."""
    purchase, key = form.purchase, idempotency.key_of("form", form.cleaned_data["form_key"])
    terms = _terms(purchase, auto_renew=form.cleaned_data["auto_renew"])
    if form.pays_from_balance:
        order = _order(purchase, terms, key=key)
        subscription = orders.subscribe(request.user, purchase.price, request=order, must_start=True, now=now, **terms)
        return resolve_url("subscription", subscription.public_id)
    checkout_request = _checkout_request(purchase, terms, gateway=form.cleaned_data["method"], key=key)
    return start_payment(partial(checkout.start, request.user, now=now, **checkout_request))


def _terms(purchase: Purchase, *, auto_renew: bool) -> dict[str, Any]:
    return {"quantity": purchase.quantity, "periods": purchase.periods, "auto_renew": auto_renew}


def _order(purchase: Purchase, terms: dict[str, Any], *, key: str | None) -> orders.Request:
    price = purchase.price
    return orders.request_of(key, plan=price.plan.code, currency=price.currency, **terms)


def _checkout_request(
    purchase: Purchase, terms: dict[str, Any], *, gateway: str, key: str | None
) -> checkout.CheckoutRequest:
    price = purchase.price
    payment_terms: checkout.CheckoutRequest = {
        "plan": price.plan,
        "currency": price.currency,
        "amount": purchase.due_now.amount,
        "gateway": gateway,
        "idempotency_key": key,
    }
    return {**payment_terms, **terms}  # type: ignore[typeddict-item]


def _context(purchase: Purchase, form: CheckoutForm) -> dict[str, Any]:
    return {
        "purchase": purchase,
        "form": form,
        "choices": choices(purchase.price, purchase.quantity),
        "title": title(purchase),
        "nothing": Money(0, purchase.total.currency),
    }


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def checkout_page(request: SignedInRequest, code: str) -> HttpResponse:
    """Show the purchase, or buy it if the amount is still the one on the button."""
    now = timezone.now()
    purchase = purchase_of(request, code, now=now)
    form = CheckoutForm(request.POST or None, purchase=purchase)
    if "show" in request.POST and "quantity" not in form.errors:
        return HttpResponseRedirect(purchase.address, status=303)
    try:
        if sent_before := bought_before(request, purchase):
            return HttpResponseRedirect(sent_before, status=303)
        if request.method == "POST" and form.is_valid():
            return HttpResponseRedirect(buy(request, form, now=now), status=303)
    except DomainError as error:
        refuse(form, error)
    return render(request, "payments/checkout.html", _context(purchase, form), status=422 if form.errors else 200)


@require_POST
@never_cache
@login_required
def start_from_wallet(request: SignedInRequest, public_id: str) -> HttpResponse:
    """Start a waiting subscription from the balance and redirect to its page; if refused, show the reason there."""
    rows = Subscription.objects.select_related("customer", "price__plan")
    row = get_object_or_404(rows, public_id=public_id, customer=request.user)
    try:
        checkout.pay_from_wallet(row, now=timezone.now())
        messages.success(request, _("Started. It is paid from your balance."))
    except Refused as error:
        # The second of two clicks finds it started. The page shows the current state.
        if "missing" in error.extra:
            missing = Money.parse(error.extra["missing"]["value"], row.price.currency)
            said = _("You need %(amount)s more on your balance for this.")
            messages.error(request, said % {"amount": display.money(missing)})
        elif error.code != "subscription_not_waiting":
            messages.error(request, str(REFUSALS.get(error.code, error.detail)))
    except DomainError as error:
        messages.error(request, str(REFUSALS.get(error.code, error.detail)))
    return HttpResponseRedirect(resolve_url("subscription", row.public_id), status=303)
