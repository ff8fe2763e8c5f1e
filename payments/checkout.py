"""Starting a payment: for a plan, for a subscription that waits for money, or to top up the wallet.

The attempt is committed before the gateway is called, and the gateway is called with the payment's id as its key. So
whatever breaks on the way, sending the same form again goes on with the first payment.
"""

import re
from datetime import datetime, timedelta
from typing import Unpack

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import get_language
from django.utils.translation import gettext as _

import ledger.retrying
from accounts.errors import DomainError
from accounts.ids import new_id
from accounts.models import User
from payments import orders, quotes, schedule, sessions, states
from payments.gateways import registry
from payments.models import Payment
from payments.orders import Order
from payments.quotes import Quote
from subscriptions import books

# A digit in it keeps it apart from the words that stand in the same place of an address.
CLIENT_ID = re.compile(r"(?=.*[0-9])[A-Za-z0-9][A-Za-z0-9_-]{7,39}", re.ASCII)


class DuplicatePayment(DomainError):
    """The id a client chose for its payment is taken."""

    code = "duplicate_payment"
    param = "payment_id"


class InvalidPaymentId(DomainError):
    code = "invalid_payment_id"
    param = "payment_id"


class PaymentInProgress(DomainError):
    """The subscription has an open payment already; two would be paying twice."""

    code = "payment_in_progress"
    param = "subscription"


def start(customer: User, *, now: datetime, **order: Unpack[Order]) -> Payment:
    """Create a payment, or find the one this form has created, and return it with its page at the gateway.

    An open payment for the same subscription and amount is gone on with instead of making a second one. Raises
    DomainError: KeyReused for a form that has made one of something else, what the quotes raise, UnknownGateway,
    DuplicatePayment, PaymentInProgress, and Unavailable or GatewayRefused from the gateway.
    """
    payment = orders.made(customer, order)
    if payment is None:
        _check_payment_id(order.get("payment_id"))
        gateway = registry.get(order.get("gateway") or registry.names()[0]).name
        quote = _quote(customer, order, now=now)
        payment = _open_payment_for(quote, order) or _create(customer, quote, gateway, order, now=now)
    if payment.gateway_id is None and payment.status in states.OPEN:
        payment = sessions.open_page(payment, now=now)
    return payment


def _quote(customer: User, order: Order, *, now: datetime) -> Quote:
    amount, currency = order.get("amount"), order.get("currency")
    if plan := order.get("plan"):
        terms = {"quantity": order.get("quantity", 1), "periods": order.get("periods", 1)}
        quote = quotes.for_plan(plan, customer=customer, currency=currency, **terms)
    elif subscription := order.get("subscription"):
        if subscription.customer_id != customer.pk:
            raise ValueError(f"{subscription} is not of customer {customer.pk}")
        quote = quotes.for_subscription(subscription, now=now)
    else:
        return quotes.for_top_up(amount, currency)
    quotes.check_amount(quote, amount, currency)
    return quote


def _check_payment_id(payment_id: str | None) -> None:
    if payment_id is None:
        return
    if not CLIENT_ID.fullmatch(payment_id):
        raise InvalidPaymentId(
            _("A payment_id is 8 to 40 letters, digits, - or _, begins with a letter or digit and has a digit in it.")
        )
    if Payment.objects.filter(public_id=payment_id).exists():
        raise _duplicate(payment_id)


def _duplicate(payment_id: str) -> DuplicatePayment:
    return DuplicatePayment(_("There is a payment %s already.") % payment_id)


def _open_payment_for(quote: Quote, order: Order) -> Payment | None:
    """Find the open payment for the quote's subscription, fit to go on with; raise PaymentInProgress for another."""
    if quote.subscription is None:
        return None
    payment = Payment.objects.filter(subscription=quote.subscription, status__in=states.OPEN, parked_reason="").first()
    if payment is None:
        return None
    if payment.status == Payment.Status.PENDING and payment.money == quote.money and not order.get("payment_id"):
        return payment
    raise PaymentInProgress(
        _("Payment %s for this subscription is still open. Wait for it, or cancel it, before you start another.")
        % payment.public_id,
        payment_id=payment.public_id,
        state=payment.status,
    )


def _create(customer: User, quote: Quote, gateway: str, order: Order, *, now: datetime) -> Payment:
    """Commit the attempt; when somebody else has just committed the same one, return that."""
    try:
        return _insert(customer, quote, gateway, order, now=now)
    except IntegrityError as error:
        match getattr(getattr(error.__cause__, "diag", None), "constraint_name", ""):
            case "one_payment_per_form":
                if payment := orders.made(customer, order):
                    return payment
                raise
            case "one_open_payment_per_subscription":
                if payment := _open_payment_for(quote, order):
                    return payment
                raise
            case _:
                if order.get("payment_id") and Payment.objects.filter(public_id=order["payment_id"]).exists():
                    raise _duplicate(str(order["payment_id"])) from error
                raise


@ledger.retrying.retried
def _insert(customer: User, quote: Quote, gateway: str, order: Order, *, now: datetime) -> Payment:
    expires_at = now + _page_lives()
    with transaction.atomic():
        payment = Payment.objects.create(
            public_id=order.get("payment_id") or new_id("pay"),
            customer=customer,
            amount=quote.money.amount,
            currency=quote.money.currency,
            plan=quote.plan,
            subscription=quote.subscription,
            description=order.get("description") or quote.description,
            gateway=gateway,
            language=order.get("language") or get_language() or "",
            form_key=order.get("form_key") or None,
            asked=orders.mark(order) if order.get("form_key") else None,
            created_at=now,
            updated_at=now,
            expires_at=expires_at,
            check_at=schedule.next_check(now, expires_at=expires_at, after=now),
        )
        if quote.price is not None:
            _open_subscription(payment, quote, order, now=now)
    return payment


def _open_subscription(payment: Payment, quote: Quote, order: Order, *, now: datetime) -> None:
    """Open the subscription this payment is for. It waits for this money, whatever the wallet holds."""
    assert quote.price is not None
    with books.open(payment.customer, payment.currency, now=now) as book:
        payment.subscription = book.subscribe(
            quote.price,
            quantity=order.get("quantity", 1),
            periods=books.lasting_periods(quote.price, order.get("periods", 1)),
            auto_renew=order.get("auto_renew", True),
            wait_for_money=True,
        )
    payment.opened_subscription = True
    payment.save(update_fields=["subscription", "opened_subscription"])


def _page_lives() -> timedelta:
    lives: timedelta = settings.PAYMENT_EXPIRES_AFTER
    return lives
