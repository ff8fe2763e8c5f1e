"""What happens between the checkout page and the domain: which order is meant, how it is paid, why it was refused."""

from datetime import datetime
from functools import partial
from typing import Any

from django.http import Http404
from django.shortcuts import resolve_url
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.asked import KeyReused
from accounts.errors import DomainError
from accounts.web.requests import SignedIn
from ledger.money import Money
from payments import checkout
from payments import orders as payments
from payments.web import order as orders
from payments.web.forms import CheckoutForm, PayForm
from payments.web.order import Order
from payments.web.starting import onward, started
from subscriptions import orders as subscription_orders
from subscriptions import prices
from subscriptions.web import price_list

# Refusals in the customer's words. A code that is not here shows its own detail.
REFUSALS: dict[str, str | Promise] = {
    "insufficient_funds": _("Your balance is not enough any more. Choose another way to pay."),
    "amount_mismatch": _("The amount has changed. You have not been charged. Check it and confirm again."),
    "unavailable": _("The payment service does not answer just now. You have not been charged. Try again in a minute."),
    "gateway_refused": _(
        "The payment page could not be opened. You have not been charged. Try again in a few minutes."
    ),
    "idempotency_key_reused": _(
        "You have sent this form before, with other choices, and that order stands: see your account. "
        "Nothing was charged now. If you want this as well, check it and confirm again."
    ),
}


def order_of(request: SignedIn, code: str, *, now: datetime) -> Order:
    """Read the order from the address: plan, currency, periods, quantity. Raises Http404 for what is not on sale.

    A good quantity that the form sends goes before the address's; for a bad one the form has an error.
    """
    try:
        sold = prices.on_sale(code)
    except prices.PlanNotFound:
        raise Http404 from None
    price = sold[price_list.currency_for(request.GET.get("currency"), list(sold), reader=request.user) or ""]
    typed = request.POST.get("quantity", "")
    quantity = typed if orders.is_quantity(typed) else request.GET.get("quantity", "")
    periods, many = orders.read(price, request.GET.get("periods", ""), quantity)
    return orders.place(request.user, price, quantity=many, periods=periods, now=now)


def bought_already(request: SignedIn, order: Order) -> str | None:
    """Return where this very form led when it was sent before, None when it was not.

    Raises KeyReused when other choices were made in it: a customer who came back in the browser's history and chose
    something else would take the first order for the second.
    """
    if not (key := request.POST.get("form_key")):
        return None
    much = _much(order, is_renewed=bool(request.POST.get("auto_renew")))
    if payment := payments.made(request.user, _paid(order, much, gateway=request.POST.get("method", ""), key=key)):
        return onward(payment)
    bought = subscription_orders.made(request.user, order.price, request_key=f"form:{key}", **much)
    return resolve_url("subscription", bought.public_id) if bought else None


def options(order: Order) -> dict[str, Any]:
    """Return what the page may offer to change."""
    return {
        "choices": orders.choices(order.price, order.quantity),
        "title": orders.title(order),
        "nothing": Money(0, order.total.currency),
    }


def buy(request: SignedIn, form: CheckoutForm, *, now: datetime) -> str:
    """Buy what the form is about and return where to go on. Raises DomainError."""
    order, key = form.order, form.cleaned_data["form_key"]
    much = _much(order, is_renewed=form.cleaned_data["auto_renew"])
    if form.pays_from_balance:
        bought = subscription_orders.subscribe(
            request.user, order.price, request_key=f"form:{key}", must_start=True, now=now, **much
        )
        return resolve_url("subscription", bought.public_id)
    paid = _paid(order, much, gateway=form.cleaned_data["method"], key=key)
    return started(partial(checkout.start, request.user, now=now, **paid))


def refuse(form: PayForm, error: DomainError) -> None:
    """Say on the form, in the customer's words, why it was refused."""
    if isinstance(error, KeyReused):
        form.begin_anew()
    form.add_error(None, str(REFUSALS.get(error.code, error.detail)))


def _much(order: Order, *, is_renewed: bool) -> dict[str, Any]:
    return {"quantity": order.quantity, "periods": order.periods, "auto_renew": is_renewed}


def _paid(order: Order, much: dict[str, Any], *, gateway: str, key: str) -> payments.Order:
    """Return what is asked of the checkout for an order that a gateway is to be paid for."""
    price, total = order.price, order.total
    what: payments.Order = {"plan": price.plan, "currency": price.currency, "amount": total.amount, "gateway": gateway}
    return {**what, "form_key": key, **much}  # type: ignore[typeddict-item]
