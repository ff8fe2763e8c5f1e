"""Starting a payment: for a plan, for a subscription that waits for money, or to top up the wallet.

The payment is committed before the gateway is called, and its id is the gateway's idempotency key. So the same request
sent again continues the first payment, whatever failed in between. So does another request for the same purpose.
"""

from datetime import datetime
from typing import TypedDict, Unpack

from django.db import IntegrityError, transaction
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.models import User
from core import idempotency, retry
from core.errors import DomainError, Unavailable
from payments import (
    amounts,
    cancellation,
    confirmation,
    open_orders,
    payment_ids,
    reconciliation,
    sessions,
    transitions,
)
from payments.amounts import AmountDue
from payments.gateways import registry
from payments.gateways.base import Snapshot, State
from payments.models import Payment
from subscriptions import books, catalogue, orders
from subscriptions.models import Plan, Subscription

# How often a start looks again if other requests start or close the same payment meanwhile.
TRIES = 3
# Answers of a gateway whose page can no longer be paid, and what the payment becomes.
UNPAID = {
    State.CANCELLED: Payment.Status.CANCELLED,
    State.EXPIRED: Payment.Status.EXPIRED,
    State.FAILED: Payment.Status.FAILED,
}


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
    # Whether the customer agrees that the gateway keeps the payment method.
    save_method: bool
    # From core.idempotency.key_of. The same key returns the same payment.
    idempotency_key: str | None
    # An id chosen by the client. The customer must not have a payment with it yet.
    payment_id: str | None


class PaymentInProgress(DomainError):
    """There is an open payment for the same purpose; with a second one the customer might pay twice."""

    code = "payment_in_progress"
    param = "payment_id"


def start(customer: User, *, now: datetime, **request: Unpack[CheckoutRequest]) -> Payment:
    """Create a payment and open its page at the gateway; the same request again returns the first payment.

    A customer has at most one open payment for the same purpose: a plan on the same terms, a subscription, or a top-up
    of the same sum. A second start goes on with it, whichever tab, form or API call it comes from. Raises a
    DomainError: KeyReused if the key came with another request, any error of payments.amounts, UnknownGateway,
    NoGateway, InvalidPaymentId, DuplicatePayment, PaymentInProgress, and Unavailable or GatewayRefused from the
    gateway.
    """
    payment = find(customer, request)
    if payment is None:
        payment_ids.check_new(customer, request.get("payment_id"))
        payment = _continue_or_create(customer, request, now=now)
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
    """Start a pending or suspended subscription from the balance, close its open payment, and return it.

    It starts first: if this dies in between, nothing is lost, and reconciliation closes the payment. Raises Refused if
    the balance is short or the subscription does not wait for money; then the payment stays open.
    """
    orders.start(subscription, now=now)
    open_orders.mark_ended(now=now, customer_id=subscription.customer_id)
    for payment in open_orders.open_payments().filter(subscription=subscription):
        reconciliation.check(payment, now=now)
    subscription.refresh_from_db()
    return subscription


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
        save_method=request.get("save_method", False),
    )


def _amount_due(customer: User, request: CheckoutRequest, *, now: datetime) -> AmountDue:
    amount, currency = request.get("amount"), request.get("currency")
    if plan := request.get("plan"):
        terms = {"quantity": request.get("quantity", 1), "periods": request.get("periods", 1)}
        due = amounts.for_plan(plan, customer=customer, currency=currency, now=now, **terms)
    elif subscription := request.get("subscription"):
        if subscription.customer_id != customer.pk:
            raise ValueError(f"{subscription} does not belong to customer {customer.pk}")
        due = amounts.for_subscription(subscription, now=now)
    else:
        return amounts.for_top_up(amount, currency, request.get("gateway"))
    amounts.check_amount(due, amount, currency)
    return due


def _purpose(due: AmountDue, request: CheckoutRequest) -> str:
    return open_orders.purpose_of(
        due,
        quantity=request.get("quantity", 1),
        periods=request.get("periods", 1),
        auto_renew=request.get("auto_renew", True),
    )


def _continue_or_create(customer: User, request: CheckoutRequest, *, now: datetime) -> Payment:
    """Return the open payment for the same purpose, or create and commit one, for an order that waits if there is one.

    If another gateway or another consent was chosen, the amount has changed or the page has expired, the open payment's
    page is closed first and a new payment takes its place.
    """
    for _turn in range(TRIES):
        due = _amount_due(customer, request, now=now)
        first = open_orders.find(customer, due, _purpose(due, request), now=now)
        if first is not None and not request.get("payment_id") and _is_same(first, due, request, now=now):
            return first
        gateway = registry.offer(request.get("gateway"), due.money.currency, due.money.amount).name
        if first is None:
            order = open_orders.find_waiting(customer, _purpose(due, request), now=now)
            payment = _create(customer, due, gateway, request, now=now, order=order)
        elif request.get("payment_id"):
            is_same = first.reference == request["payment_id"]
            raise payment_ids.duplicate(first.reference) if is_same else _in_progress(first)
        else:
            payment = _replace(first, due, gateway, request, now=now)
        if payment is not None:
            return payment
    raise Unavailable(_("The payment could not be started. Nothing was paid. Try again."))


def _is_same(first: Payment, due: AmountDue, request: CheckoutRequest, *, now: datetime) -> bool:
    """Tell whether an open payment for the same purpose is just what is asked for now, so that its page can be used."""
    if request.get("gateway") not in (None, first.gateway) or first.money != due.money or now >= first.expires_at:
        return False
    # Whoever says nothing about the payment method goes on with what was agreed before.
    return "save_method" not in request or _saves_method(request, first.gateway) == first.save_method


def _saves_method(request: CheckoutRequest, gateway: str) -> bool:
    """Tell whether the gateway is to keep the payment method: the customer agrees and the gateway can."""
    return request.get("save_method", False) and registry.can(gateway).saves_methods


def _in_progress(payment: Payment) -> PaymentInProgress:
    return PaymentInProgress(
        _("Payment %s for the same purpose is still open. Wait for it, or cancel it, before you start another.")
        % payment.reference,
        payment_id=payment.reference,
        state=payment.status,
    )


def _create(
    customer: User, due: AmountDue, gateway: str, request: CheckoutRequest, *, now: datetime, order: Payment | None
) -> Payment | None:
    """Create and commit the payment; if another request has just committed the same one, return that.

    Return None if another request has just started a payment for the same purpose.
    """
    try:
        return _insert(customer, due, gateway, request, now=now, order=order)
    except IntegrityError as error:
        return _raced(customer, request, error)


def _raced(customer: User, request: CheckoutRequest, error: IntegrityError) -> Payment | None:
    """Return what another request has just committed, None if that is to be looked up; raise any other error."""
    match retry.constraint_of(error):
        case "one_payment_per_request":
            if payment := find(customer, request):
                return payment
        case orders.ONCE:
            raise idempotency.KeyReused from error
        case "one_open_payment_per_subscription" | "one_open_payment_per_purpose":
            return None
        case _:
            if request.get("payment_id") and payment_ids.find(customer, str(request["payment_id"])).exists():
                raise payment_ids.duplicate(str(request["payment_id"])) from error
    raise error


def _replace(
    first: Payment, due: AmountDue, gateway: str, request: CheckoutRequest, *, now: datetime
) -> Payment | None:
    """Close the page of an open payment and return the new one that takes its place.

    Return the first payment if it turns out to be paid, None if it has changed meanwhile. A page that its gateway
    cannot close ends by itself; what is paid there later goes to the wallet. Raises Unavailable if the gateway does not
    answer, PaymentInProgress if the bank is processing it.
    """
    snapshot = cancellation.close_page(first)
    if snapshot is not None and snapshot.state not in UNPAID and not cancellation.ends_by_itself(first, snapshot):
        payment = confirmation.apply(first.pk, snapshot, now=now)
        if payment.status in transitions.OPEN:
            raise _in_progress(payment)
        return payment if payment.status == Payment.Status.CONFIRMED else None
    try:
        return _swap(first.pk, snapshot, due, gateway, request, now=now)
    except IntegrityError as error:
        return _raced(first.customer, request, error)


@retry.retried
def _swap(
    first_id: int, snapshot: Snapshot | None, due: AmountDue, gateway: str, request: CheckoutRequest, *, now: datetime
) -> Payment | None:
    """Close a payment, or give it up if its page ends by itself, and create the next one for the same order, in one
    transaction.
    """
    with transaction.atomic():
        first = transitions.lock(first_id)
        if first.status not in transitions.OPEN or (snapshot is None and first.gateway_id is not None):
            return None
        if snapshot is not None and snapshot.state not in UNPAID:
            transitions.give_up(first, now=now)
        else:
            code = snapshot.failure_code if snapshot else ""
            ending = UNPAID[snapshot.state] if snapshot else Payment.Status.CANCELLED
            transitions.close(first, ending, now=now, failure_code=code)
        return _insert(first.customer, due, gateway, request, now=now, order=first)


@retry.retried
def _insert(
    customer: User, due: AmountDue, gateway: str, request: CheckoutRequest, *, now: datetime,
    order: Payment | None = None,
) -> Payment:  # fmt: skip
    """Create the payment and, for a plan, its subscription; or take over the subscription of the payment `order`."""
    expires_at = sessions.page_end(gateway, now=now)
    key = request.get("idempotency_key")
    with transaction.atomic():
        payment = Payment.objects.create(
            client_payment_id=request.get("payment_id"),
            customer=customer,
            amount=due.money.amount,
            currency=due.money.currency,
            order_amount=due.order_amount,
            purpose=_purpose(due, request),
            plan=due.plan,
            subscription=order.subscription if order else due.subscription,
            opened_subscription=order.opened_subscription if order else False,
            description=request.get("description") or due.description,
            gateway=gateway,
            language=request.get("language") or get_language() or "",
            idempotency_key=key,
            fingerprint=_fingerprint(request) if key else None,
            created_at=now,
            updated_at=now,
            expires_at=expires_at,
            save_method=_saves_method(request, gateway),
            check_at=transitions.next_check(now, expires_at=expires_at, after=now),
        )
        if due.price is not None and order is None:
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
            is_checkout=True,
        )
        if payment.idempotency_key:
            opened = own.filter(pk=payment.subscription.pk)
            opened.update(idempotency_key=payment.idempotency_key, fingerprint=payment.fingerprint)
    payment.opened_subscription = True
    payment.save(update_fields=["subscription", "opened_subscription"])
