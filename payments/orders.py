"""What is asked for when a payment is started, and the payment that the same request has made before."""

from typing import TypedDict

from accounts import asked
from accounts.models import User
from payments.models import Payment
from subscriptions.models import Plan, Subscription


class Order(TypedDict, total=False):
    """What is asked for. A plan, or a subscription, or neither: then `amount` and `currency` top up the wallet."""

    plan: Plan | str
    subscription: Subscription
    # Minor units. For a plan or a subscription it must equal what the server works out.
    amount: int | None
    currency: str | None
    quantity: int
    periods: int
    auto_renew: bool
    gateway: str | None
    description: str
    # In which the customer reads; that of the page or request if absent.
    language: str
    # Hidden field of the form, or a client's Idempotency-Key (hashed): the same again means the same payment.
    form_key: str | None
    # A public id of the client's own choice. Must be new.
    payment_id: str | None


def made(customer: User, order: Order) -> Payment | None:
    """Find the payment that this order's form has made; None if there is none. Raises asked.KeyReused.

    That is when it was made for something else: the customer must not be handed a payment of what they did not ask for.
    """
    key = order.get("form_key")
    payment = Payment.objects.filter(customer=customer, form_key=key).first() if key else None
    if payment is not None:
        asked.check(payment.asked, mark(order))
        if order.get("amount") not in (None, payment.amount):
            raise asked.KeyReused
    return payment


def mark(order: Order) -> str:
    """Fold what was asked for. The amount is compared by itself, and in which language it was asked is all the same."""
    plan, subscription = order.get("plan"), order.get("subscription")
    return asked.mark(
        plan=plan.code if isinstance(plan, Plan) else plan,
        subscription=subscription.public_id if subscription else None,
        currency=order.get("currency"),
        quantity=order.get("quantity", 1),
        periods=order.get("periods", 1),
        auto_renew=order.get("auto_renew", True),
        gateway=order.get("gateway"),
        description=order.get("description"),
        payment_id=order.get("payment_id"),
    )
