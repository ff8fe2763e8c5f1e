"""Confirming a payment: check it at its gateway, then apply the answer in one transaction.

The webhook, the return page, the API and reconciliation all call this, as often and as concurrently as they like: the
payment's row is locked before anything is decided, and `confirmed` is final.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never

import structlog
from django.db import transaction
from django.utils.translation import gettext as _

import ledger
from core import retry
from core.errors import DomainError
from ledger.money import EXPONENTS, LARGEST, Money
from payments import methods, transitions, truncation
from payments.collection import checkout_consents
from payments.gateways import guard, registry
from payments.gateways.errors import GatewayError
from payments.gateways.sessions import Snapshot, State
from payments.models import Payment

log = structlog.get_logger(__name__)
Status = Payment.Status
# How long a payment waits whose check was refused by the breaker.
UNASKED = timedelta(seconds=2 * guard.PAUSE)


class Verdict(StrEnum):
    """What a gateway's answer means for a payment."""

    PAID = "paid"
    DIFFERS = "differs"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    OPEN = "open"


class NotConfirmed(DomainError):
    """The payment was not paid, or its outcome is not known yet. `state` is its status."""

    code = "payment_not_confirmed"
    param = "payment_id"


def confirm(payment_id: int, *, now: datetime) -> Payment:
    """Check the payment with this primary key at its gateway, apply the answer and return the payment.

    Idempotent. Raises nothing if the payment was not paid or the gateway did not answer: look at its status.
    """
    payment = Payment.objects.get(pk=payment_id)
    if payment.status == Status.CONFIRMED or payment.gateway_id is None:
        return payment
    return apply(payment_id, ask(payment), now=now)


def refresh(payment_id: int, *, now: datetime) -> Payment:
    """Ask the gateway also about a confirmed payment, for what it tells later: its fee, and a method that it keeps."""
    payment = Payment.objects.get(pk=payment_id)
    return payment if payment.gateway_id is None else apply(payment_id, ask(payment), now=now)


def require(payment: Payment) -> None:
    """Raise NotConfirmed unless the payment is confirmed."""
    if payment.status != Status.CONFIRMED:
        text = _("Payment %(id)s is not confirmed. It is %(state)s.")
        raise NotConfirmed(text % {"id": payment.public_id, "state": payment.status}, state=payment.status)


def ask(payment: Payment) -> Snapshot | GatewayError:
    """Return the gateway's answer about the payment, or its error. Call it with no transaction open."""
    assert payment.gateway_id is not None
    try:
        return registry.get(payment.gateway).fetch(payment.gateway_id)
    except GatewayError as error:
        log.warning("gateway_gave_no_answer", payment=payment.public_id, error=error.detail, permanent=error.permanent)
        return error


def judge(snapshot: Snapshot, requested: Money) -> Verdict:
    """Decide what a snapshot means for a payment of the amount `requested`. Pure."""
    match snapshot.state:
        case State.SUCCEEDED:
            paid = (snapshot.amount, snapshot.currency) == (requested.amount, requested.currency)
            return Verdict.PAID if paid else Verdict.DIFFERS
        case State.FAILED:
            return Verdict.FAILED
        case State.CANCELLED:
            return Verdict.CANCELLED
        case State.EXPIRED:
            return Verdict.EXPIRED
        case State.OPEN | State.REQUIRES_ACTION | State.PROCESSING | State.UNRECOGNISED:
            return Verdict.OPEN
        case _:
            assert_never(snapshot.state)


@retry.retried
def apply(payment_id: int, answer: Snapshot | GatewayError, *, now: datetime, ends_order: bool = False) -> Payment:
    """Apply the gateway's answer in one transaction and return the payment.

    With `ends_order=True` a payment that ends without money ends its order too: the customer has cancelled it.
    """
    with transaction.atomic():
        payment = transitions.lock(payment_id)
        if payment.status == Status.CONFIRMED or payment.is_sent_back:
            if isinstance(answer, Snapshot):
                _note_details(payment, answer, now=now)
        elif isinstance(answer, GatewayError):
            _apply_error(payment, answer, now=now)
        else:
            _apply_snapshot(payment, answer, now=now, ends_order=ends_order)
    return payment


def _apply_snapshot(payment: Payment, snapshot: Snapshot, *, now: datetime, ends_order: bool) -> None:
    verdict = judge(snapshot, payment.money)
    if payment.save_method:
        _prepare_consent(payment, now=now)
    if payment.is_charge:
        _note_charge(payment, snapshot)
    _note_state(payment, snapshot.state, now=now)
    if verdict is Verdict.PAID:
        transitions.credit(payment, payment.money, now=now)
        _note_details(payment, snapshot, now=now)
    elif verdict is Verdict.DIFFERS:
        taken = readable(snapshot.amount, snapshot.currency)
        transitions.park(payment, _difference(payment, snapshot), now=now, received=taken)
        _note_fee(payment, snapshot, now=now)
    elif payment.status not in transitions.OPEN:
        # It has already ended. Only money can change that.
        return
    elif verdict is Verdict.OPEN:
        transitions.wait(payment, Status.PENDING, now=now)
    else:
        ending, code = Status(verdict.value), snapshot.failure_code
        transitions.close(payment, ending, now=now, failure_code=code, ends_order=ends_order)


def _apply_error(payment: Payment, error: GatewayError, *, now: datetime) -> None:
    """Make the payment `unknown` and check it again later; park it if nobody will ever get an answer.

    That is if the gateway does not know its id, or if it has expired and our keys for the gateway are gone.
    """
    if payment.status not in transitions.OPEN or payment.parked_reason:
        return
    if error.permanent:
        transitions.park(payment, f"{payment.gateway} does not know this payment: {error.detail}"[:200], now=now)
    elif now >= payment.expires_at and registry.cannot_tell(payment.gateway, error):
        transitions.park(payment, f"{payment.gateway} cannot be asked: {error.detail}"[:200], now=now)
    else:
        # While the breaker is open nobody was asked, so that the payment has not had its turn.
        latest = now + UNASKED if error.code == guard.PAUSED else None
        transitions.wait(payment, Status.UNKNOWN, now=now, latest=latest)


def _prepare_consent(payment: Payment, *, now: datetime) -> None:
    """Lock what a consent given at the checkout may change; drop it if the payment was over, or given up."""
    if payment.status not in transitions.OPEN or payment.closing_at is not None:
        checkout_consents.drop(payment, now=now)
    checkout_consents.hold(payment)


def _note_state(payment: Payment, state: State, *, now: datetime) -> None:
    """Save the gateway's state for the payment page, with the time of the change in `updated_at`."""
    if state is State.UNRECOGNISED:
        log.error("gateway_state_not_recognised", payment=payment.public_id)
    if payment.gateway_state != state:
        payment.gateway_state, payment.updated_at = state.value, now
        payment.save(update_fields=["gateway_state", "updated_at"])


def _note_charge(payment: Payment, snapshot: Snapshot) -> None:
    """Save the gateway's id of a charge, what its decline means, and where the customer can confirm it."""
    payment.gateway_id = payment.gateway_id or snapshot.gateway_id
    payment.decline = str(snapshot.decline or "")
    payment.confirmation_url = truncation.page_address(snapshot.action_url)
    payment.save(update_fields=["gateway_id", "decline", "confirmation_url"])


def _note_details(payment: Payment, snapshot: Snapshot, *, now: datetime) -> None:
    """Save what the gateway tells of a finished payment besides its state: the fee, and a method that it keeps."""
    _note_fee(payment, snapshot, now=now)
    is_agreed = payment.save_method and payment.status == Status.CONFIRMED
    if snapshot.method is not None and is_agreed and methods.can_save(snapshot.method):
        method = methods.save(payment.customer, payment.gateway, snapshot.method, now=now)
        checkout_consents.come_into_force(payment, method, now=now)


def _note_fee(payment: Payment, snapshot: Snapshot, *, now: datetime) -> None:
    """Post what the gateway keeps of a payment, once, in the currency in which it keeps it.

    Of a parked payment too: whether staff accept the money or send it back, the gateway does not return its fee.
    """
    if payment.fee is not None or payment.received is None or not snapshot.fee:
        return
    fee = readable(snapshot.fee, snapshot.fee_currency)
    if fee is None:
        log.error(
            "gateway_fee_not_readable", payment=payment.public_id, fee=snapshot.fee, currency=snapshot.fee_currency
        )
        return
    entry = ledger.Entry(
        f"fee:{payment.public_id}", "gateway_fees", f"gateway_clearing:{payment.gateway}", fee.amount, fee.currency,
        "fee", now,
    )  # fmt: skip
    ledger.post([entry])
    payment.fee, payment.fee_currency = fee.amount, fee.currency
    payment.save(update_fields=["fee", "fee_currency"])


def owes_fee(payment: Payment, snapshot: Snapshot) -> bool:
    """Tell whether the gateway has taken money of a payment, and says which fee it keeps. Pure."""
    return payment.received is not None and readable(snapshot.fee, snapshot.fee_currency) is not None


def readable(amount: int | None, currency: str | None) -> Money | None:
    """Return an amount that a gateway tells, None if it is no money that we can keep. Pure.

    Money is a whole number of minor units from 1 to LARGEST in a currency of ours. A gateway may send anything.
    """
    if type(amount) is not int or not 0 < amount <= LARGEST or currency not in EXPONENTS:
        return None
    return Money(amount, currency)


def _difference(payment: Payment, snapshot: Snapshot) -> str:
    """Return the reason for staff: `sandbox took 250.00 RUB, we requested 500.00 RUB`."""
    received = readable(snapshot.amount, snapshot.currency)
    taken = str(received) if received else f"{snapshot.amount} minor units of {snapshot.currency}"
    return f"{payment.gateway} took {taken[:100]}, we requested {payment.money}"
