"""The checkout page of a plan: what it offers, its form, and buying; and starting a subscription from the balance."""

from datetime import datetime
from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404, render, resolve_url
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts.models import User
from accounts.web.auth import SignedInRequest, button
from core import idempotency
from core.errors import DomainError
from ledger import display
from ledger.money import Money
from payments import checkout
from payments.checkout_request import CheckoutRequest, find_payment
from payments.web.forms import (
    BALANCE,
    REFUSALS,
    PayForm,
    Saving,
    from_balance,
    go_on,
    no_way_to_pay,
    refuse,
    saving_of,
    start_payment,
)
from payments.web.policy import leads_to_gateways
from payments.web.purchases import MOST, Purchase, choices, is_quantity, offer, parse_terms, title
from subscriptions import catalogue, confirmed_addresses, orders
from subscriptions.models import Subscription
from subscriptions.refusals import Refused
from subscriptions.web import cards, done, pricing


class CheckoutForm(PayForm):
    """The form that buys what the page offers."""

    # The price of one payment as the page showed it. During a trial it differs from what is due now (`shown`).
    total = forms.IntegerField(widget=forms.HiddenInput, min_value=0)
    quantity = forms.IntegerField(
        label=gettext_lazy("Quantity"),
        min_value=1,
        max_value=MOST,
        widget=forms.NumberInput(attrs={"class": "few", "inputmode": "numeric", "data-typed": True}),
    )
    auto_renew = forms.BooleanField(required=False)

    def __init__(self, data: QueryDict | None = None, *, purchase: Purchase, customer: User) -> None:
        """Bind the form to the data sent, if any. A quantity that was not sent is taken from the purchase."""
        super().__init__(
            {"quantity": purchase.quantity} | data.dict() if data else None,
            amount=purchase.due_now,
            customer=customer,
            before=[from_balance(metered=purchase.price.metered)] if purchase.covered else [],
            auto_renew=True,
            total=purchase.total.amount,
            quantity=purchase.quantity,
        )
        self.purchase = purchase
        self.fields["quantity"].label = _("Quantity of %(plan)s") % {"plan": purchase.price.plan.title}
        errors = dict.fromkeys(("required", "invalid", "min_value", "max_value"), _quantities())
        self.fields["quantity"].error_messages.update(errors)
        if purchase.needs_no_gateway:
            del self.fields["method"]

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
    """Return the purchase that the URL names: plan, currency, periods, quantity.

    Raises Http404 if the plan is not on sale, PlanNotSoldInCurrency if it is not sold in the URL's currency. A valid
    quantity in the posted form takes precedence over the URL's; for an invalid one the form has an error.
    """
    try:
        sold = catalogue.on_sale(code)
    except catalogue.PlanNotFound:
        raise Http404 from None
    currency = request.GET.get("currency") or pricing.currency_for(list(sold), reader=request.user) or ""
    price = sold[currency] if currency in sold else catalogue.current(code, currency)
    typed = request.POST.get("quantity", "")
    quantity = typed if is_quantity(typed) else request.GET.get("quantity", "")
    periods, many = parse_terms(price, request.GET.get("periods", ""), quantity)
    return offer(request.user, price, quantity=many, periods=periods, now=now)


def bought_before(request: SignedInRequest, purchase: Purchase, *, now: datetime) -> str | None:
    """Return the URL that this form led to when it was sent before; None if it was not.

    Raises KeyReused if it was sent with other choices: a customer who went back in the browser's history and chose
    something else would mistake the first purchase for the second.
    """
    key = idempotency.key_of("form", request.POST.get("form_key"))
    terms = _terms(purchase, auto_renew=bool(request.POST.get("auto_renew")))
    gateway = request.POST.get("method", "")
    checkout_request = _checkout_request(purchase, terms, gateway=gateway, key=key, saving=saving_of(request, now=now))
    # The amount it was sent with may have changed since: a debt is paid by now. The key alone says which form it was.
    del checkout_request["amount"]
    if payment := find_payment(request.user, checkout_request):
        return go_on(payment, now=now)
    try:
        subscription = orders.find(request.user, _order(purchase, terms, key=key))
    except idempotency.KeyReused:
        # A payment's order has the form's key too. It may have been made since: the first of two clicks.
        if payment := find_payment(request.user, checkout_request):
            return go_on(payment, now=now)
        raise
    return resolve_url("subscription", subscription.public_id) if subscription else None


def buy(request: SignedInRequest, form: CheckoutForm, *, now: datetime) -> str:
    """Buy what the form shows and return the URL to redirect to. Raises DomainError."""
    purchase, key = form.purchase, idempotency.key_of("form", form.cleaned_data["form_key"])
    terms = _terms(purchase, auto_renew=form.cleaned_data["auto_renew"])
    if form.pays_from_balance:
        order = _order(purchase, terms, key=key)
        subscription = orders.subscribe(request.user, purchase.price, request=order, must_start=True, now=now, **terms)
        messages.success(request, done.started(cards.one(subscription, now=now)))
        return resolve_url("subscription", subscription.public_id)
    gateway = form.cleaned_data["method"]
    checkout_request = _checkout_request(purchase, terms, gateway=gateway, key=key, saving=saving_of(request, now=now))
    return start_payment(partial(checkout.start, request.user, now=now, **checkout_request))


def _terms(purchase: Purchase, *, auto_renew: bool) -> dict[str, Any]:
    return {"quantity": purchase.quantity, "periods": purchase.periods, "auto_renew": auto_renew}


def _order(purchase: Purchase, terms: dict[str, Any], *, key: str | None) -> orders.Request:
    price = purchase.price
    return orders.request_of(key, plan=price.plan.code, currency=price.currency, **terms)


def _checkout_request(
    purchase: Purchase, terms: dict[str, Any], *, gateway: str, key: str | None, saving: Saving
) -> CheckoutRequest:
    price = purchase.price
    payment_terms: CheckoutRequest = {
        "plan": price.plan,
        "currency": price.currency,
        "amount": purchase.due_now.amount,
        "gateway": gateway,
        "idempotency_key": key,
    }
    return {**payment_terms, **saving, **terms}  # type: ignore[typeddict-item]


def _context(purchase: Purchase, form: CheckoutForm) -> dict[str, Any]:
    return {
        "purchase": purchase,
        "form": form,
        "choices": choices(purchase.price, purchase.quantity),
        "title": title(purchase),
        "nothing": Money(0, purchase.total.currency),
        "no_way_to_pay": no_way_to_pay(purchase.due_now),
    }


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@leads_to_gateways
def checkout_page(request: SignedInRequest, code: str) -> HttpResponse:
    """Show the purchase, or buy it if the amount is still the one on the button."""
    now = timezone.now()
    try:
        purchase = purchase_of(request, code, now=now)
    except catalogue.PlanNotSoldInCurrency:
        return pricing.choose_currency(request, list(catalogue.on_sale(code)), _("This plan is not sold in %s."))
    if confirmed_addresses.is_missing(request.user, purchase.price.plan):
        return render(request, "payments/confirm_address.html", {"plan": purchase.price.plan})
    form = CheckoutForm(request.POST or None, purchase=purchase, customer=request.user)
    if "show" in request.POST and "quantity" not in form.errors:
        return HttpResponseRedirect(purchase.address, status=303)
    try:
        if sent_before := bought_before(request, purchase, now=now):
            return HttpResponseRedirect(sent_before, status=303)
        if request.method == "POST" and form.is_valid():
            return HttpResponseRedirect(buy(request, form, now=now), status=303)
    except DomainError as error:
        refuse(form, error)
    return render(request, "payments/checkout.html", _context(purchase, form), status=422 if form.errors else 200)


@button("subscription", "public_id")
def start_from_wallet(request: SignedInRequest, public_id: str) -> HttpResponse:
    """Start a waiting subscription from the balance and redirect to its page; if refused, show the reason there."""
    rows = Subscription.objects.select_related("customer", "price__plan")
    row = get_object_or_404(rows, public_id=public_id, customer=request.user)
    now = timezone.now()
    try:
        checkout.pay_from_wallet(row, now=now)
        messages.success(request, done.started(cards.one(row, now=now)))
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
