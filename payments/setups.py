"""Saving a payment method without a payment: opening the gateway's page, and asking what has come of it.

Our row is committed before the gateway is called, and its id is the gateway's idempotency key. So a customer has one
open page at a gateway, however often they click. The page they return to, webhooks and the sweep all ask the gateway.
"""

from datetime import datetime

import structlog
from django.conf import settings
from django.db import transaction
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.models import User
from core import retry
from core.errors import DomainError, Unavailable
from ledger.models import Account
from payments import methods, sessions, transitions
from payments.gateways import registry
from payments.gateways.errors import GatewayError
from payments.gateways.methods import SetupRequest, SetupSnapshot, SetupState
from payments.gateways.sessions import Session
from payments.models import MethodSetup

log = structlog.get_logger(__name__)
Status = MethodSetup.Status


class CannotAdd(DomainError):
    """The gateway has no page on which a method is saved without a payment, or has refused to open it."""

    code = "method_not_added"
    param = "gateway"


def gateways() -> list[str]:
    """Return the names of the offered gateways that save a method without a payment, the default one first."""
    return [name for name in registry.names() if registry.can(name).adds_methods]


def start(customer: User, gateway: str, *, now: datetime) -> MethodSetup:
    """Open the page and return its row; while a page of this customer is open there, return that one.

    Raises CannotAdd, and Unavailable if the gateway did not answer: the next start goes on with the same page.
    """
    if gateway not in gateways():
        raise CannotAdd(_("No payment method can be saved there without a payment."))
    setup = _open(customer, gateway, now=now)
    if setup.gateway_id is not None:
        # The customer is back: perhaps they have saved something, or have closed the page for good.
        setup = refresh(setup, now=now)
        setup = setup if setup.status == Status.OPEN else _open(customer, gateway, now=now)
    return setup if setup.gateway_id is not None else _open_page(setup, now=now)


def refresh(setup: MethodSetup, *, now: datetime) -> MethodSetup:
    """Ask the gateway what has come of a page, save the method if there is one, and return the row. Idempotent.

    Without an answer nothing changes. Call it with no transaction open.
    """
    if setup.status == Status.SAVED or setup.gateway_id is None:
        return setup
    return apply(setup.pk, ask(setup), now=now)


def ask(setup: MethodSetup) -> SetupSnapshot | GatewayError:
    """Ask the gateway what has come of a page that it has opened. Call it with no transaction open."""
    try:
        return registry.get(setup.gateway).fetch_setup(str(setup.gateway_id))
    except GatewayError as error:
        log.warning("setup_got_no_answer", setup=setup.public_id, error=error.detail, permanent=error.permanent)
        return error


def check(setup: MethodSetup, now: datetime) -> None:
    """Ask about a page that is due; end one that the gateway never opened once its time is over. For the sweep."""
    if setup.gateway_id is None:
        apply(setup.pk, GatewayError("It was never opened.", permanent=False), now=now)
    else:
        refresh(setup, now=now)


@retry.retried
def _open(customer: User, gateway: str, *, now: datetime) -> MethodSetup:
    """Return the open row of this customer and gateway, or commit a new one. One whose time is over has ended."""
    expires_at = sessions.page_end(gateway, now=now)
    with transaction.atomic():
        # Two clicks wait for each other.
        User.objects.select_for_update(no_key=True).only("pk").get(pk=customer.pk)
        own = MethodSetup.objects.filter(customer=customer, gateway=gateway, status=Status.OPEN)
        own.filter(expires_at__lte=now).update(status=Status.ENDED, check_at=None)
        return own.first() or MethodSetup.objects.create(
            customer=customer, gateway=gateway, language=get_language() or settings.LANGUAGE_CODE, created_at=now,
            expires_at=expires_at, check_at=transitions.next_check(now, expires_at=expires_at, after=now),
        )  # fmt: skip


def _open_page(setup: MethodSetup, *, now: datetime) -> MethodSetup:
    try:
        session = registry.get(setup.gateway).create_setup(_request(setup))
    except GatewayError as error:
        log.warning("setup_not_opened", setup=setup.public_id, error=error.detail, permanent=error.permanent)
        if not error.permanent:
            raise Unavailable(_("The payment service is not responding. Try again in a minute.")) from error
        _end(setup.pk)
        raise CannotAdd(_("The payment service has not opened a page. Try again later.")) from error
    return _store(setup.pk, session, now=now)


def _request(setup: MethodSetup) -> SetupRequest:
    prefix = f"/{setup.language}" if setup.language != settings.LANGUAGE_CODE else ""
    return SetupRequest(
        idempotency_key=setup.public_id,
        return_url=f"{settings.SITE_URL}{prefix}/account/payment-methods/added/{setup.public_id}/",
        expires_at=setup.expires_at,
        language=setup.language,
        currency=_currency(setup.customer, setup.gateway),
        customer=str(setup.customer_id),
        email=setup.customer.email,
        owner=methods.owner_at(setup.gateway, setup.customer),
    )


def _currency(customer: User, gateway: str) -> str:
    """Return a currency that the gateway takes: that of the customer's oldest wallet, if it does."""
    takes = registry.can(gateway).currencies
    wallets = Account.objects.filter(owner=customer, kind=Account.Kind.WALLET).order_by("id")
    return next((code for code in wallets.values_list("currency", flat=True) if code in takes), next(iter(takes)))


@retry.retried
def _store(setup_id: int, session: Session, *, now: datetime) -> MethodSetup:
    with transaction.atomic():
        setup = _lock(setup_id)
        if setup.gateway_id is None:
            setup.gateway_id, setup.confirmation_url = session.gateway_id, session.confirmation_url
            setup.expires_at = session.expires_at
            if setup.status == Status.OPEN:
                setup.check_at = transitions.next_check(setup.created_at, expires_at=setup.expires_at, after=now)
            setup.save(update_fields=["gateway_id", "confirmation_url", "expires_at", "check_at"])
    return setup


@retry.retried
def apply(setup_id: int, answer: SetupSnapshot | GatewayError, *, now: datetime) -> MethodSetup:
    """Apply the gateway's answer and return the row. A method that was saved late is the customer's all the same."""
    with transaction.atomic():
        setup = _lock(setup_id)
        if setup.status == Status.SAVED:
            return setup
        is_over = now >= setup.expires_at
        if isinstance(answer, GatewayError):
            is_over = is_over or answer.permanent
        elif answer.state is SetupState.SAVED and answer.method is not None and methods.can_save(answer.method):
            setup.method = methods.save(setup.customer, setup.gateway, answer.method, now=now)
            setup.status = Status.SAVED
        else:
            is_over = is_over or answer.state is SetupState.ENDED
        if setup.status == Status.OPEN and is_over:
            setup.status = Status.ENDED
        is_open = setup.status == Status.OPEN
        after = transitions.next_check(setup.created_at, expires_at=setup.expires_at, after=now)
        setup.check_at = after if is_open else None
        setup.save(update_fields=["status", "method", "check_at"])
    return setup


def _end(setup_id: int) -> None:
    MethodSetup.objects.filter(pk=setup_id, status=Status.OPEN).update(status=Status.ENDED, check_at=None)


def _lock(setup_id: int) -> MethodSetup:
    rows = MethodSetup.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("customer").get(pk=setup_id)
