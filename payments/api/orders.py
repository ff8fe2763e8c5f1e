"""From a request's values to what payments.checkout takes: names become rows, amounts minor units."""

import hashlib
from typing import Any, cast

from django.utils.translation import gettext as _

from accounts.api.named import named
from accounts.models import User
from payments.api.fields import minor_units
from payments.orders import Order
from subscriptions import prices
from subscriptions.models import Subscription


def order_of(customer: User, sent: dict[str, Any], *, idempotency_key: str | None) -> Order:
    """Return the order of a validated CheckoutSerializer; 404 for a subscription that is not the customer's."""
    order = cast(Order, {name: value for name, value in sent.items() if name not in ("amount", "subscription")})
    order["form_key"], order["language"] = form_key(idempotency_key), customer.language
    if "subscription" in sent:
        mine = Subscription.objects.filter(customer=customer).select_related("price__plan", "customer")
        detail = _("You have no subscription of this id; GET /api/subscriptions/ lists yours.")
        order["subscription"] = named(mine, param="subscription", detail=detail, public_id=sent["subscription"])
    if "amount" in sent:
        order["amount"] = minor_units(sent["amount"], _currency(customer, order), param="amount")
    return order


def form_key(idempotency_key: str | None) -> str | None:
    """Fold an Idempotency-Key of any length into what finds the payment again."""
    return hashlib.sha256(idempotency_key.encode()).hexdigest() if idempotency_key else None


def _currency(customer: User, order: Order) -> str:
    """The currency in which an amount was meant: the one sent, else that of what is bought."""
    if named := order.get("currency"):
        return named
    if "subscription" in order:
        subscription: Subscription = order["subscription"]
        return subscription.price.currency
    return prices.chosen(order["plan"], customer=customer, currency=None).currency
