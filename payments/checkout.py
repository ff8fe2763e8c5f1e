"""Starting a payment: for a plan, for a subscription that waits for money, or to top up the wallet.

The payment is committed before the gateway is called, and its id is the gateway's idempotency key. So the same request
sent again continues the first payment, whatever failed in between.
"""

import re
from datetime import datetime
from typing import TypedDict, Unpack

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.models import User
from core import idempotency, retry
from core.errors import DomainError
from core.ids import new_id
from payments import amounts, cancellation, sessions, transitions
from payments.amounts import AmountDue
from payments.gateways import registry
from payments.models import Payment
from subscriptions import books, catalogue, orders, overview
from subscriptions.models import Plan, Subscription

# It must hold a digit, so that it differs from words such as `confirm-payment` at the same place of a URL.
CLIENT_ID = re.compile(r"(?=.*[0-9])[A-Za-z0-9][A-Za-z0-9_-]{7,39}", re.ASCII)


class CheckoutRequest(TypedDict, total=False):
    """What the customer wants to pay for: a plan, a subscription, or neither (then `amount` tops up the wallet)."""

    plan: Plan | str
    subscription: Subscription
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
    # From core.idempotency.key_of. The same key returns the same payment.
    idempotency_key: str | None
    # A public id chosen by the client. It must be new.
    payment_id: str | None


class DuplicatePayment(DomainError):
    """The payment id that the client chose already exists."""

    code = "duplicate_payment"
    param = "payment_id"


class InvalidPaymentId(DomainError):
    """The payment id that the client chose does not match CLIENT_ID."""

    code = "invalid_payment_id"
    param = "payment_id"


class PaymentInProgress(DomainError):
    """The subscription already has an open payment; with a second one the customer might pay twice."""

    code = "payment_in_progress"
    param = "subscription"


class NotPending(DomainError):
    """The subscription is no longer pending, so there is nothing to start."""

    code = "subscription_not_waiting"


def start(customer: User, *, now: datetime, **request: Unpack[CheckoutRequest]) -> Payment:
    """Create a payment and open its page at the gateway; the same request again returns the first payment.

    If the subscription has an open payment of the same amount, return that one. Raises a DomainError: KeyReused if the
    key came with another request, any error of payments.amounts, UnknownGateway, InvalidPaymentId, DuplicatePayment,
    PaymentInProgress, and Unavailable or GatewayRefused from the gateway.
    """
    payment = find(customer, request)
    if payment is None:
        _check_payment_id(request.get("payment_id"))
        gateway = registry.get(request.get("gateway") or registry.names()[0]).name
        due = _amount_due(customer, request, now=now)
        payment = _open_payment_for(due, request) or _create(customer, due, gateway, request, now=now)
    if payment.gateway_id is None and payment.status in transitions.OPEN:
        payment = sessions.open_page(payment, now=now)
    return payment


def find(customer: User, request: CheckoutRequest) -> Payment | None:
    """Return the payment created with this request's key, or None.

    Raises KeyReused if the key came with another request: the customer must not get a payment for something else.
    """
    key, own = request.get("idempotency_key"), Payment.objects.filter(customer=customer)
    payment = idempotency.find(own, key, fingerprint=_fingerprint(request))
    if payment is not None and request.get("amount") not in (None, payment.amount):
        raise idempotency.KeyReused
    return payment


def made_with(customer: User, key: str | None) -> Payment | None:
    """Return the payment created with this key, whatever the request, or None."""
    return Payment.objects.filter(customer=customer, idempotency_key=key).first() if key else None


def pay_from_wallet(subscription: Subscription, *, now: datetime) -> Subscription:
    """Pay for a pending subscription from the wallet on the terms it was ordered on; return the one that started.

    Its open payment is cancelled at the gateway first, so that nobody pays twice. Raises NotPending; Refused if the
    wallet is short (the payment stays open); NotCancellable if the customer is paying at this moment; Unavailable if
    the gateway does not answer.
    """
    view = overview.peek(subscription.customer, subscription.price.currency, now=now)
    if view.status_of(subscription) != Subscription.Status.PENDING:
        raise NotPending("")
    if not view.can_start(subscription):
        raise books.insufficient_funds()
    waiting = Payment.objects.filter(subscription=subscription, status__in=transitions.OPEN).first()
    if waiting is not None:
        cancellation.cancel(waiting, now=now)
    return _restart(subscription, now=now, must_end=waiting is None or not waiting.opened_subscription)


@retry.retried
def _restart(subscription: Subscription, *, now: datetime, must_end: bool) -> Subscription:
    """Cancel the pending subscription and start a new one in its place, in one transaction.

    `must_end` is False if cancelling the payment has cancelled it already. The second of two simultaneous clicks gets
    the subscription that the first one started. If the money was spent in between, the new one stays pending.
    """
    key = idempotency.key_of("cause", f"start:{subscription.public_id}")
    with books.open(subscription.customer, subscription.price.currency, now=now) as book:
        started = Subscription.objects.filter(customer=subscription.customer, idempotency_key=key).first()
        if started is not None:
            return started
        if must_end:
            book.cancel(subscription, when="now")
        row = book.subscribe(
            subscription.price,
            quantity=subscription.quantity,
            periods=subscription.periods,
            auto_renew=subscription.auto_renew,
        )
        Subscription.objects.filter(pk=row.pk).update(idempotency_key=key)
    return row


def _fingerprint(request: CheckoutRequest) -> str:
    """Return the fingerprint of a request. `find` compares the amount itself; the language is left out on purpose."""
    plan, subscription = request.get("plan"), request.get("subscription")
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
    )


def _amount_due(customer: User, request: CheckoutRequest, *, now: datetime) -> AmountDue:
    amount, currency = request.get("amount"), request.get("currency")
    if plan := request.get("plan"):
        terms = {"quantity": request.get("quantity", 1), "periods": request.get("periods", 1)}
        due = amounts.for_plan(plan, customer=customer, currency=currency, **terms)
    elif subscription := request.get("subscription"):
        if subscription.customer_id != customer.pk:
            raise ValueError(f"{subscription} does not belong to customer {customer.pk}")
        due = amounts.for_subscription(subscription, now=now)
    else:
        return amounts.for_top_up(amount, currency)
    amounts.check_amount(due, amount, currency)
    return due


def _check_payment_id(payment_id: str | None) -> None:
    if payment_id is None:
        return
    if not CLIENT_ID.fullmatch(payment_id):
        raise InvalidPaymentId(
            _(
                "A payment_id has 8 to 40 letters, digits, - or _. It starts with a letter or digit and contains a "
                "digit."
            )
        )
    if Payment.objects.filter(public_id=payment_id).exists():
        raise _duplicate(payment_id)


def _duplicate(payment_id: str) -> DuplicatePayment:
    return DuplicatePayment(_("Payment %s already exists.") % payment_id)


def _open_payment_for(due: AmountDue, request: CheckoutRequest) -> Payment | None:
    """Return the subscription's open payment if its amount is the amount due; otherwise raise PaymentInProgress.

    Return None if there is no open payment.
    """
    if due.subscription is None:
        return None
    payment = Payment.objects.filter(
        subscription=due.subscription, status__in=transitions.OPEN, parked_reason=""
    ).first()
    if payment is None:
        return None
    if payment.status == Payment.Status.PENDING and payment.money == due.money and not request.get("payment_id"):
        return payment
    raise PaymentInProgress(
        _("Payment %s for this subscription is still open. Wait for it, or cancel it, before you start another.")
        % payment.public_id,
        payment_id=payment.public_id,
        state=payment.status,
    )


def _create(customer: User, due: AmountDue, gateway: str, request: CheckoutRequest, *, now: datetime) -> Payment:
    """Create and commit the payment; if another request has just committed the same one, return that."""
    try:
        return _insert(customer, due, gateway, request, now=now)
    except IntegrityError as error:
        match retry.constraint_of(error):
            case "one_payment_per_request":
                if payment := find(customer, request):
                    return payment
                raise
            case orders.ONCE:
                raise idempotency.KeyReused from error
            case "one_open_payment_per_subscription":
                if payment := _open_payment_for(due, request):
                    return payment
                raise
            case _:
                if request.get("payment_id") and Payment.objects.filter(public_id=request["payment_id"]).exists():
                    raise _duplicate(str(request["payment_id"])) from error
                raise


@retry.retried
def _insert(customer: User, due: AmountDue, gateway: str, request: CheckoutRequest, *, now: datetime) -> Payment:
    expires_at = now + settings.PAYMENT_EXPIRES_AFTER
    key = request.get("idempotency_key")
    with transaction.atomic():
        payment = Payment.objects.create(
            public_id=request.get("payment_id") or new_id("pay"),
            customer=customer,
            amount=due.money.amount,
            currency=due.money.currency,
            plan=due.plan,
            subscription=due.subscription,
            description=request.get("description") or due.description,
            gateway=gateway,
            language=request.get("language") or get_language() or "",
            idempotency_key=key,
            fingerprint=_fingerprint(request) if key else None,
            created_at=now,
            updated_at=now,
            expires_at=expires_at,
            check_at=transitions.next_check(now, expires_at=expires_at, after=now),
        )
        if due.price is not None:
            _open_subscription(payment, due, request, now=now)
    return payment


def _open_subscription(payment: Payment, due: AmountDue, request: CheckoutRequest, *, now: datetime) -> None:
    """Create the subscription that this payment is for. It stays pending even if the wallet could pay for it.

    It gets the payment's key too: a form that is sent twice at once, to pay by card and from the balance, has one key
    and must make one subscription. Raise KeyReused for the second.
    """
    assert due.price is not None
    with books.open(payment.customer, payment.currency, now=now) as book:
        own = Subscription.objects.filter(customer=payment.customer)
        idempotency.find(own, payment.idempotency_key, fingerprint=payment.fingerprint or "")
        payment.subscription = book.subscribe(
            due.price,
            quantity=request.get("quantity", 1),
            periods=catalogue.renewal_periods(due.price, request.get("periods", 1)),
            auto_renew=request.get("auto_renew", True),
            wait_for_money=True,
        )
        if payment.idempotency_key:
            opened = own.filter(pk=payment.subscription.pk)
            opened.update(idempotency_key=payment.idempotency_key, fingerprint=payment.fingerprint)
    payment.opened_subscription = True
    payment.save(update_fields=["subscription", "opened_subscription"])
