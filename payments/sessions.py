"""The hosted page for a payment: opened at the gateway after the payment is committed, with the payment's id as key."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from core import retry
from core.errors import DomainError, Unavailable
from payments import amounts, methods, open_orders, paid_changes, transitions, truncation
from payments.gateways import registry
from payments.gateways.errors import GatewayError
from payments.gateways.sessions import Session, SessionRequest
from payments.models import Payment

Status = Payment.Status


class GatewayRefused(DomainError):
    """The gateway refused this payment for good."""

    code = "gateway_refused"


class ChangedMeanwhile(DomainError):
    """The payment was for a change of a subscription that has been changed in another way since."""

    code = "subscription_changed"
    param = "subscription"


def open_page(payment: Payment, *, now: datetime) -> Payment:
    """Open the payment's page at the gateway and return the payment with its `confirmation_url`.

    Safe to repeat: the gateway returns the same page for the same key. Raises Unavailable if the gateway did not
    answer (the payment becomes `unknown` and is checked later), GatewayRefused if it refused (it becomes `failed`),
    NotWaitingForMoney if its subscription has started or ended meanwhile, ChangedMeanwhile if it was to be changed and
    has been in another way: no page is shown for that.
    """
    _refuse_unwanted(payment, now=now)
    gateway = registry.get(payment.gateway)
    try:
        session = gateway.create_session(_request(payment, now=now))
    except GatewayError as error:
        raise _save_error(payment.pk, error, now=now) from error
    payment = _store(payment, session, now=now)
    if payment.status == Status.CANCELLED and payment.gateway_id == session.gateway_id:
        # Cancelled while the gateway was opening the page. Nobody knows its address; if closing fails, it expires.
        _close_quietly(payment)
    if payment.status in transitions.OPEN:
        _refuse_unwanted(payment, now=now)
    return payment


def opened(payment: Payment, *, now: datetime) -> Payment:
    """Return the payment with its page open, unless it is over. Raises what `open_page` raises."""
    if payment.gateway_id is None and payment.status in transitions.OPEN:
        return open_page(payment, now=now)
    return payment


def page_end(gateway: str, *, now: datetime) -> datetime:
    """Return when a page that is opened now is to end: after settings.PAYMENT_EXPIRES_AFTER, if the gateway can."""
    can, lifetime = registry.can(gateway), settings.PAYMENT_EXPIRES_AFTER
    if can.longest_page is not None:
        lifetime = min(lifetime, can.longest_page)
    end: datetime = now + max(lifetime, can.shortest_page)
    return end


def return_url(payment: Payment) -> str:
    """Return the URL of our page for the payment, in the language it was started in.

    If a program has named its own, it is the one that leads on to them (payments.web.return_page).
    """
    prefix = f"/{payment.language}" if payment.language not in ("", settings.LANGUAGE_CODE) else ""
    onward = "return/" if payment.success_url or payment.cancel_url else ""
    return f"{settings.SITE_URL}{prefix}/pay/{payment.public_id}/{onward}"


def _request(payment: Payment, *, now: datetime) -> SessionRequest:
    return SessionRequest(
        idempotency_key=payment.public_id,
        amount=payment.amount,
        currency=payment.currency,
        description=payment.description,
        return_url=return_url(payment),
        cancel_url=return_url(payment),
        expires_at=page_end(payment.gateway, now=now),
        language=payment.language or settings.LANGUAGE_CODE,
        customer=str(payment.customer_id),
        email=payment.customer.email,
        save_method=payment.save_method,
        owner=methods.owner_at(payment.gateway, payment.customer) if payment.save_method else "",
    )


@retry.retried
def _store(payment: Payment, session: Session, *, now: datetime) -> Payment:
    """Store the page of a payment, and return the payment as it is then."""
    gateway_id = {"gateway_id": session.gateway_id}
    page = gateway_id | {
        "confirmation_url": truncation.page_address(session.confirmation_url),
        "expires_at": session.expires_at,
        "check_at": transitions.next_check(payment.created_at, expires_at=session.expires_at, after=now),
    }
    # What nearly always holds is the condition of one statement, which needs neither a lock nor the row again.
    if Payment.objects.filter(pk=payment.pk, gateway_id=None, status=Status.PENDING, closing_at=None).update(**page):
        return _with(payment, page)
    with transaction.atomic():
        payment = transitions.lock(payment.pk)
        if payment.gateway_id is None:
            # A payment that has ended meanwhile keeps only which page is its own.
            news = page if payment.status in transitions.OPEN else gateway_id
            _with(payment, news).save(update_fields=[*news])
            if payment.status == Status.UNKNOWN:
                transitions.move(payment, Status.PENDING, now=now)
    return payment


def _with(payment: Payment, fields: dict[str, Any]) -> Payment:
    """Return the payment with these fields set."""
    for name, value in fields.items():
        setattr(payment, name, value)
    return payment


@retry.retried
def _save_error(payment_id: int, error: GatewayError, *, now: datetime) -> DomainError:
    """Save that the gateway opened no page, and return the error to raise."""
    with transaction.atomic():
        payment = transitions.lock(payment_id)
        if payment.status in transitions.OPEN and payment.gateway_id is None:
            if error.permanent:
                transitions.close(payment, Status.FAILED, now=now, failure_code="gateway_refused")
            elif payment.status == Status.PENDING:
                check_at = transitions.next_check(payment.created_at, expires_at=payment.expires_at, after=now)
                transitions.move(payment, Status.UNKNOWN, now=now, check_at=check_at)
    if error.permanent:
        return GatewayRefused(_("The payment gateway refused this payment."), payment_id=payment.public_id)
    return Unavailable(
        _(
            "The payment gateway did not answer. Nothing was paid. Send the same request again with the same "
            "Idempotency-Key to continue this payment."
        ),
        payment_id=payment.public_id,
    )


def _refuse_unwanted(payment: Payment, *, now: datetime) -> None:
    """Raise NotWaitingForMoney if the payment's subscription has started or ended in another way."""
    subscription = payment.subscription
    if subscription is not None and not open_orders.is_wanted(payment, now=now):
        _close_unwanted(payment.pk, now=now)
        if paid_changes.of(payment) is not None:
            raise ChangedMeanwhile(_("The subscription was changed in the meantime. Nothing was paid."))
        subscription.refresh_from_db()
        raise amounts.not_waiting(subscription, now=now)


@retry.retried
def _close_unwanted(payment_id: int, *, now: datetime) -> None:
    """Cancel a payment without a page; let reconciliation close a page that has just been opened."""
    with transaction.atomic():
        payment = transitions.lock(payment_id)
        if payment.status in transitions.OPEN and payment.gateway_id is None:
            transitions.close(payment, Status.CANCELLED, now=now)
        elif payment.status in transitions.OPEN:
            payment.confirmation_url, payment.closing_at, payment.check_at = "", now, now
            payment.save(update_fields=["confirmation_url", "closing_at", "check_at"])


def _close_quietly(payment: Payment) -> None:
    assert payment.gateway_id is not None
    try:
        registry.get(payment.gateway).cancel(payment.gateway_id)
    except GatewayError:
        return
