"""What a customer wants to pay for: a request for a checkout, the payment that it made before, and what it costs."""

from datetime import datetime
from typing import Any, TypedDict

from django.utils.translation import gettext as _

from accounts.models import User
from core import idempotency
from core.errors import DomainError
from payments import amounts, open_orders
from payments.amounts import AmountDue
from payments.collection.consents import Agreement
from payments.gateways import registry
from payments.models import Payment
from payments.paid_changes import ChangeTo
from subscriptions.models import Plan, Subscription


class CannotCharge(DomainError):
    """The customer agrees that renewals are charged, but the gateway of this payment cannot charge them."""

    code = "gateway_cannot_charge"
    param = "gateway"


class CheckoutRequest(TypedDict, total=False):
    """What the customer wants to pay for: a plan, a subscription, or neither (then `amount` tops up the wallet)."""

    plan: Plan | str
    subscription: Subscription
    # What the subscription is changed to with the money, which the balance lacks for it.
    change: ChangeTo
    # Minor units. For a plan or a subscription it must equal the amount that the server calculates.
    amount: int | None
    currency: str | None
    quantity: int
    periods: int
    auto_renew: bool
    gateway: str | None
    description: str
    # The customer's language; the page's or request's by default.
    language: str
    # Whether the customer agrees that the gateway keeps the payment method.
    save_method: bool
    # What the customer has agreed to about renewals; it needs `save_method`. None if they have not.
    agreement: Agreement | None
    # What a program wants back (Payment has the same fields). The URLs are allowed (payments.return_urls).
    success_url: str
    cancel_url: str
    client_reference_id: str
    metadata: dict[str, str]
    # From core.idempotency.key_of. The same key returns the same payment.
    idempotency_key: str | None
    # An id chosen by the client. The customer must not have a payment with it yet.
    payment_id: str | None


REFERENCES = ("success_url", "cancel_url", "client_reference_id", "metadata")


def find_payment(customer: User, request: CheckoutRequest) -> Payment | None:
    """Return the payment created with this request's key, or None.

    Raises KeyReused if the key came with another request: the customer must not get a payment for something else.
    """
    key, own = request.get("idempotency_key"), Payment.objects.filter(customer=customer)
    payment = idempotency.find(own, key, fingerprint=fingerprint_of(request))
    if payment is not None and request.get("amount") not in (None, payment.amount):
        raise idempotency.KeyReused
    return payment


def find_by_key(customer: User, key: str | None) -> Payment | None:
    """Return the payment created with this key, whatever the request, or None."""
    return Payment.objects.filter(customer=customer, idempotency_key=key).first() if key else None


def fingerprint_of(request: CheckoutRequest) -> str:
    """Return the fingerprint of a request, without its amount, which `find_payment` compares, and its language."""
    plan, subscription = request.get("plan"), request.get("subscription")
    # Only where it is given: the fingerprints of requests from before are still compared.
    agreed: dict[str, Any] = {"agrees": True} if request.get("agreement") else {}
    if change := request.get("change"):
        agreed["change"] = [change.price.plan.code, change.quantity]
    return idempotency.fingerprint(
        plan=plan.code if isinstance(plan, Plan) else plan,
        subscription=subscription.public_id if subscription else None,
        currency=request.get("currency"),
        quantity=request.get("quantity", 1),
        periods=request.get("periods", 1),
        auto_renew=request.get("auto_renew", True),
        gateway=request.get("gateway"),
        description=request.get("description"),
        payment_id=request.get("payment_id"),
        save_method=request.get("save_method", False),
        **agreed,
        **references_of(request),
    )


def references_of(request: CheckoutRequest) -> dict[str, Any]:
    """Return what the program sent of REFERENCES."""
    return {name: value for name, value in request.items() if name in REFERENCES}


def amount_due(customer: User, request: CheckoutRequest, *, now: datetime) -> AmountDue:
    """Return the amount that the server calculates for the request; raise any error of payments.amounts."""
    amount, currency = request.get("amount"), request.get("currency")
    if plan := request.get("plan"):
        terms = {"quantity": request.get("quantity", 1), "periods": request.get("periods", 1)}
        due = amounts.for_plan(plan, customer=customer, currency=currency, now=now, **terms)
    elif subscription := request.get("subscription"):
        if subscription.customer_id != customer.pk:
            raise ValueError(f"{subscription} does not belong to customer {customer.pk}")
        if change := request.get("change"):
            due = amounts.for_change(subscription, *change, shown=amount, now=now)
        else:
            due = amounts.for_subscription(subscription, now=now)
    else:
        return amounts.for_top_up(amount, currency, request.get("gateway"))
    amounts.check_amount(due, amount, currency)
    return due


def purpose_of(due: AmountDue, request: CheckoutRequest) -> str:
    """Return the name of what the request pays for (payments.open_orders)."""
    return open_orders.purpose_of(
        due,
        quantity=request.get("quantity", 1),
        periods=request.get("periods", 1),
        auto_renew=request.get("auto_renew", True),
    )


def agrees(request: CheckoutRequest) -> bool:
    """Tell whether the customer agrees that renewals are charged to the method that this payment saves."""
    return request.get("agreement") is not None and request.get("save_method", False)


def check_charges_renewals(gateway: str) -> None:
    """Raise CannotCharge if the gateway cannot save a method and charge renewals to it."""
    can = registry.can(gateway)
    if not (can.saves_methods and can.charges_off_session):
        raise CannotCharge(_("Renewals cannot be paid through %s. Choose another gateway.") % gateway)


def saves_method(request: CheckoutRequest, gateway: str) -> bool:
    """Tell whether the gateway is to keep the payment method: the customer agrees and the gateway can."""
    return request.get("save_method", False) and registry.can(gateway).saves_methods
