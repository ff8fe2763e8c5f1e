"""An attempt to collect: a payment that charges a saved method while the customer is away.

It is committed before the gateway is called, and the call is made once. Without an answer the charge is looked for by
the payment's id; it is never sent again, and no other attempt begins while this one is open. So a cause is charged at
most once, whatever gets lost.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from core import retry
from payments import amounts, confirmation, sessions, transitions
from payments.collection import causes, consents, states, top_ups
from payments.gateways import registry
from payments.gateways.charges import METHOD_GONE, NOT_MADE, ChargeRequest, Decline
from payments.gateways.errors import GatewayError
from payments.gateways.sessions import Snapshot, State
from payments.models import Collection, Payment
from subscriptions import books, overview
from subscriptions.overview import View

log = structlog.get_logger(__name__)
Status = Payment.Status

# A request that cannot be found at its gateway after this time never arrived.
LOST_AFTER = timedelta(minutes=9)
# How long the bank's page waits for the customer, and a charge for its end.
LASTS = timedelta(hours=23)


@dataclass(frozen=True, slots=True)
class NotTried:
    """Why no attempt was made: a code, how much was missing if that is known, and when the consent was given."""

    code: str
    missing: int = 0
    agreed_at: datetime | None = None


@retry.retried
def begin(collection_id: int, *, now: datetime) -> Payment | NotTried:
    """Decide under the locks whether to charge, and commit the attempt; or return why not.

    The consent, the method and the wallet are locked meanwhile. So no consent or method that is withdrawn before is
    charged, and what is missing is exact.
    """
    with transaction.atomic():
        collection = states.lock(collection_id)
        if collection.status != Collection.Status.WAITING:
            return NotTried("not_waiting")
        consent = consents.lock(collection.customer_id, *consents.scope_of(collection))
        if consent is None:
            return NotTried("consent_withdrawn")
        if collection.rule is not None and collection.rule.consent_id != consent.pk:
            return NotTried("rule_ended")
        if reason := consents.obstacle(consent.method, now=now):
            return NotTried(reason, agreed_at=consent.given_at)
        if collection.rule is None and not consent.method.is_default:
            return NotTried("not_the_default_method", agreed_at=consent.given_at)
        with books.open(collection.customer, collection.currency, now=now) as book:
            lacking = missing(overview.view(collection.currency, book.item.book, now), collection)
        if not lacking:
            return NotTried("covered")
        if pending(collection) >= lacking:
            return NotTried("payment_in_progress", lacking)
        amount = amounts.chargeable(lacking, collection.currency, consent.method.gateway)
        if amount is None:
            return NotTried("amount_not_taken", lacking, consent.given_at)
        if collection.rule is not None and (reason := top_ups.hindrance(collection.rule, amount, now=now)):
            return NotTried(reason, lacking)
        # By a clock that is ahead of ours the customer has agreed only just now: the attempt comes after that.
        at = max(now, consent.given_at)
        payment = _create(collection, consent.method_id, consent.method.gateway, amount, now=at)
        states.move(collection, Collection.Status.CHARGING, now=at, amount=amount)
    return payment


def missing(view: View, collection: Collection) -> int:
    """Return what is missing now for what a collection is for, in minor units; 0 if nothing is."""
    return causes.missing(view, collection) if collection.rule is None else top_ups.missing(view, collection.rule)


def send(payment: Payment, *, now: datetime) -> Payment:
    """Charge the method at the gateway and apply the answer. Once for each payment, with no transaction open.

    The payment, the consent, the rule, the method and the account are looked at once more before the call: an attempt
    that has begun stops with them. One that has ended meanwhile is not sent: a worker that was frozen finds it declared
    failed.
    """
    if reason := _withdrawn(payment.pk, now=now):
        log.info("charge_stopped", payment=payment.public_id, reason=reason)
        return Payment.objects.get(pk=payment.pk)
    try:
        answer: Snapshot | GatewayError = registry.get(payment.gateway).charge(_request(payment))
    except GatewayError as error:
        log.warning("charge_got_no_answer", payment=payment.public_id, error=error.detail, permanent=error.permanent)
        answer = error
    if isinstance(answer, GatewayError) and answer.permanent:
        return _fail(payment.pk, answer.code or "gateway_refused", now=now)
    return confirmation.apply(payment.pk, answer, now=now)


def resolve(payment: Payment, *, now: datetime) -> Payment:
    """Look for a charge whose answer was lost, and apply what is found. It is never sent again.

    If the gateway has none after LOST_AFTER, the request never arrived, and the payment has failed.
    """
    try:
        answer: Snapshot | GatewayError | None = registry.get(payment.gateway).find_charge(_request(payment))
    except GatewayError as error:
        # Whatever the gateway said: it did not say that there is no charge.
        answer = GatewayError(error.detail, permanent=False, code=error.code)
    if answer is None and now - payment.created_at >= LOST_AFTER:
        return _fail(payment.pk, NOT_MADE, now=now)
    if answer is None:
        answer = GatewayError("The gateway does not have it yet.", permanent=False, code="not_there_yet")
    return confirmation.apply(payment.pk, answer, now=now)


def cancel(payment: Payment, *, now: datetime) -> Payment:
    """Cancel an open attempt at the gateway, so that the customer is not asked to confirm it any more."""
    if payment.gateway_id is None:
        return resolve(payment, now=now)
    try:
        answer: Snapshot | GatewayError = registry.get(payment.gateway).cancel(payment.gateway_id)
    except GatewayError as error:
        answer = GatewayError(error.detail, permanent=False, code=error.code)
    return confirmation.apply(payment.pk, answer, now=now)


def pending(collection: Collection) -> int:
    """Return what is on its way to the wallet: the customer's own payments that a bank is processing, minor units."""
    on_the_way = Payment.objects.filter(
        customer=collection.customer_id, currency=collection.currency, status__in=transitions.OPEN,
        gateway_state=State.PROCESSING, parked_reason="",
    ).exclude(collection=collection)  # fmt: skip
    return sum(on_the_way.values_list("amount", flat=True))


def _create(collection: Collection, method_id: int, gateway: str, amount: int, *, now: datetime) -> Payment:
    language = collection.customer.language
    with translation.override(language):
        description = _("Automatic payment")
    expires_at = now + LASTS
    return Payment.objects.create(
        customer_id=collection.customer_id, amount=amount, currency=collection.currency, description=description,
        method_id=method_id, collection=collection, gateway=gateway, language=language, created_at=now, updated_at=now,
        expires_at=expires_at, check_at=transitions.next_check(now, expires_at=expires_at, after=now),
    )  # fmt: skip


def _request(payment: Payment) -> ChargeRequest:
    assert payment.method is not None
    return ChargeRequest(
        idempotency_key=payment.public_id,
        method=payment.method.gateway_id,
        owner=payment.method.gateway_owner,
        amount=payment.amount,
        currency=payment.currency,
        description=payment.description,
        return_url=sessions.return_url(payment),
        customer=str(payment.customer_id),
        email=payment.customer.email,
    )


@retry.retried
def _withdrawn(payment_id: int, *, now: datetime) -> str:
    """Return why an attempt must not be sent any more, "" if it may; cancel it if it must not."""
    with transaction.atomic():
        payment = transitions.lock(payment_id)
        assert payment.collection is not None
        if payment.status not in transitions.OPEN:
            return f"payment_{payment.status}"
        reason = _hindrance(payment, payment.collection, now=now)
        if reason:
            transitions.close(payment, Status.CANCELLED, now=now, failure_code=reason)
    return reason


def _hindrance(payment: Payment, collection: Collection, *, now: datetime) -> str:
    """Return what has gone that an attempt needs, as a code; "" if nothing has. Consent and method are locked."""
    consent = consents.lock(payment.customer_id, *consents.scope_of(collection))
    if consent is None or consent.method_id != payment.method_id:
        return "consent_withdrawn"
    if collection.rule is not None and collection.rule.consent_id != consent.pk:
        return "rule_ended"
    if not payment.customer.is_active:
        return "account_closed"
    if collection.status not in states.OPEN:
        return collection.reason or "collection_ended"
    return consents.obstacle(consent.method, now=now)


@retry.retried
def _fail(payment_id: int, code: str, *, now: datetime) -> Payment:
    """End an attempt that the gateway has refused to make, or never got."""
    with transaction.atomic():
        payment = transitions.lock(payment_id)
        if payment.status in transitions.OPEN and payment.gateway_id is None:
            payment.decline = Decline.HARD if code == METHOD_GONE else ""
            payment.save(update_fields=["decline"])
            transitions.close(payment, Status.FAILED, now=now, failure_code=code[:60])
    return payment
