"""Starting a payment: for a plan, for a subscription that waits for money, or to top up the wallet.

The payment is committed before the gateway is called, and its id is the gateway's idempotency key. So the same request
sent again continues the first payment, whatever failed in between. So does another request for the same purpose.
"""

from datetime import datetime
from typing import Unpack

from django.db import IntegrityError, transaction
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.models import User
from core import idempotency, retry
from core.errors import DomainError, Unavailable
from payments import (
    cancellation,
    confirmation,
    open_orders,
    paid_changes,
    payment_ids,
    reconciliation,
    sessions,
    transitions,
)
from payments.amounts import AmountDue
from payments.checkout_request import (
    CheckoutRequest,
    agrees,
    amount_due,
    check_charges_renewals,
    find_payment,
    fingerprint_of,
    purpose_of,
    references_of,
    saves_method,
)
from payments.collection import checkout_consents
from payments.gateways import registry
from payments.gateways.sessions import Snapshot, State
from payments.models import CheckoutConsent, Payment
from subscriptions import books, catalogue, orders
from subscriptions.models import Subscription

# How often a start looks again if other requests start or close the same payment meanwhile.
TRIES = 3
# Answers of a gateway whose page can no longer be paid, and what the payment becomes.
UNPAID = {
    State.CANCELLED: Payment.Status.CANCELLED,
    State.EXPIRED: Payment.Status.EXPIRED,
    State.FAILED: Payment.Status.FAILED,
}


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
    payment = find_payment(customer, request)
    if payment is None:
        payment_ids.check_new(customer, request.get("payment_id"))
        payment = _continue_or_create(customer, request, now=now)
    _keep_references(payment, request)
    return sessions.opened(payment, now=now)


def _keep_references(payment: Payment, request: CheckoutRequest) -> None:
    """Let the references of this request take the place of those of the payment that it goes on with."""
    given = references_of(request)
    if any(getattr(payment, name) != value for name, value in given.items()):
        Payment.objects.filter(pk=payment.pk).update(**given)
        for name, value in given.items():
            setattr(payment, name, value)


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


def _continue_or_create(customer: User, request: CheckoutRequest, *, now: datetime) -> Payment:
    """Return the open payment for the same purpose, or create and commit one, for an order that waits if there is one.

    If another gateway or another consent was chosen, the amount has changed or the page has expired, the open payment's
    page is closed first and a new payment takes its place.
    """
    for _turn in range(TRIES):
        due = amount_due(customer, request, now=now)
        first = open_orders.find(customer, due, purpose_of(due, request), now=now)
        if first is not None and not request.get("payment_id") and _is_same(first, due, request, now=now):
            return first
        gateway = registry.offer(request.get("gateway"), due.money.currency, due.money.amount).name
        if agrees(request):
            check_charges_renewals(gateway)
        if first is None:
            order = open_orders.find_waiting(customer, purpose_of(due, request), now=now)
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
    if not open_orders.is_for(first, due, purpose_of(due, request)):
        return False
    if request.get("gateway") not in (None, first.gateway) or first.money != due.money or now >= first.expires_at:
        return False
    if not registry.is_configured(first.gateway):
        return False
    # The gateway leads back to our own page, which knows no other.
    if ("success_url" in request or "cancel_url" in request) and not (first.success_url or first.cancel_url):
        return False
    # Whoever says nothing about the payment method goes on with what was agreed before.
    given = CheckoutConsent.objects.filter(payment=first, dropped_at=None)
    if "agreement" in request and given.exists() != agrees(request):
        return False
    return "save_method" not in request or saves_method(request, first.gateway) == first.save_method


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
    """Return the payment that another request has just committed, None to look it up; raise any other error."""
    match retry.constraint_of(error):
        case "one_payment_per_request":
            if payment := find_payment(customer, request):
                return payment
        case orders.ONCE:
            raise idempotency.KeyReused from error
        case constraint if constraint in open_orders.ONE_OPEN:
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
    cannot close ends by itself; what is paid there later goes to the wallet. A gateway that does not answer stands in
    the way of no other one for longer than the page lives. Raises Unavailable until then, PaymentInProgress if the bank
    is processing it.
    """
    is_lost = False
    try:
        snapshot = cancellation.close_page(first)
    except Unavailable as error:
        if not cancellation.is_out_of_reach(first, error, now=now):
            raise
        snapshot, is_lost = None, True
    if snapshot is not None and snapshot.state not in UNPAID and not cancellation.ends_by_itself(first, snapshot):
        payment = confirmation.apply(first.pk, snapshot, now=now)
        if payment.status in transitions.OPEN:
            raise _in_progress(payment)
        return payment if payment.status == Payment.Status.CONFIRMED else None
    try:
        return _swap(first.pk, snapshot, due, gateway, request, now=now, is_lost=is_lost)
    except IntegrityError as error:
        return _raced(first.customer, request, error)


@retry.retried
def _swap(
    first_id: int, snapshot: Snapshot | None, due: AmountDue, gateway: str, request: CheckoutRequest, *, now: datetime,
    is_lost: bool,
) -> Payment | None:  # fmt: skip
    """Close a payment, or give it up if its page ends by itself or is lost, and create the next one for the same order,
    in one transaction.
    """
    with transaction.atomic():
        first = transitions.lock(first_id)
        is_opened = snapshot is None and first.gateway_id is not None and not is_lost
        if first.status not in transitions.OPEN or first.parked_reason or is_opened:
            return None
        if is_lost or (snapshot is not None and snapshot.state not in UNPAID):
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
            purpose=purpose_of(due, request),
            plan=due.plan,
            subscription=order.subscription if order else due.subscription,
            opened_subscription=order.opened_subscription if order else False,
            description=request.get("description") or due.description,
            gateway=gateway,
            language=request.get("language") or get_language() or "",
            idempotency_key=key,
            fingerprint=fingerprint_of(request) if key else None,
            created_at=now,
            updated_at=now,
            expires_at=expires_at,
            save_method=saves_method(request, gateway),
            **references_of(request),
            check_at=transitions.next_check(now, expires_at=expires_at, after=now),
        )
        if due.change is not None:
            paid_changes.record(payment, due.change)
        agreement = request.get("agreement")
        if agreement is not None and payment.save_method:
            checkout_consents.record(payment, agreement)
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
