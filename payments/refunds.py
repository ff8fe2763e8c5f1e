"""Refunds: money of a payment that goes back to the card, or to the wallet.

A refund is a row before the gateway is asked, and its id is the gateway's idempotency key. The wallet pays first; a
refund that fails brings the money back. The payment's row is locked before anything is decided, so that refunds never
exceed it, however many are asked for at once; the database holds that too.
"""

from datetime import datetime, timedelta
from typing import TypedDict, Unpack

import structlog
from django.db import transaction
from django.db.models import OuterRef, QuerySet
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from core import idempotency, retry
from core.errors import DomainError
from events import outbox
from ledger.money import Money
from payments import transitions, truncation
from payments.gateways import registry
from payments.gateways.aftermath import RefundRequest, RefundSnapshot, RefundState
from payments.gateways.base import Gateway
from payments.gateways.errors import GatewayError
from payments.models import Dispute, Payment, Refund
from subscriptions import books

log = structlog.get_logger(__name__)
Status = Refund.Status
Destination = Refund.Destination

# Each state with the states it may move to. A bank may send money back that it had accepted; `failed` is final. The
# database repeats the table in a trigger (migration 0005_refund_guards).
MOVES: dict[Refund.Status, frozenset[Refund.Status]] = {
    Status.PENDING: frozenset({Status.SUCCEEDED, Status.FAILED}),
    Status.SUCCEEDED: frozenset({Status.FAILED}),
    Status.FAILED: frozenset(),
}
# How long a succeeded refund is still asked about: so late may a bank refuse it.
WATCHED_FOR = timedelta(days=30)
# From this age a refund is looked for before it is asked for, even if nobody is known to have asked: the process that
# did may have died before it stored the answer. Far below the day for which gateways remember a key.
LOOKED_FOR_AFTER = timedelta(minutes=1)

TAKEN_BACK = gettext_lazy("The customer's bank has taken this payment back, so it cannot be refunded as well.")


class Terms(TypedDict, total=False):
    """What is asked for with a refund."""

    # Minor units; by default all that is left of the payment.
    amount: int | None
    # By default the card.
    destination: Refund.Destination
    # Why. The customer reads it.
    reason: str
    # The member of staff who asks for it.
    author: User | None
    idempotency_key: str | None
    # What had been refunded of the payment when staff looked, in minor units.
    seen: int | None


class RefundRefused(DomainError):
    """The refund is not possible. `refundable` is what can still be refunded, if the amount was the reason."""

    code = "refund_refused"


class RefundChanged(RefundRefused):
    """Something else has been refunded of the payment since staff looked: look again, then decide."""


def issue(payment: Payment, *, now: datetime, **terms: Unpack[Terms]) -> Refund:
    """Refund a confirmed payment or a part of it, as `create` does, ask the gateway at once, and return the refund.

    Without an answer the refund stays `pending` and the sweep asks again. Raises what `create` raises.
    """
    refund = create(payment, now=now, **terms)
    return send(refund, now=now) if refund.status == Status.PENDING else refund


@retry.retried
def create(payment: Payment, *, now: datetime, **terms: Unpack[Terms]) -> Refund:
    """Create and commit a refund; or return the one that this request has made before. `send` it afterwards.

    To the card, the wallet pays first. To the wallet, it is money of the seller that the customer gets back. Raises
    RefundRefused, RefundChanged, refusals.Refused if the wallet cannot pay, KeyReused.
    """
    amount, key, seen = terms.get("amount"), terms.get("idempotency_key"), terms.get("seen")
    destination, reason = terms.get("destination", Destination.CARD), terms.get("reason", "")
    fingerprint = idempotency.fingerprint(amount=amount, destination=destination, reason=reason)
    with transaction.atomic():
        locked = transitions.lock(payment.pk)
        if before := idempotency.find(locked.refunds.all(), key, fingerprint=fingerprint):
            return before
        if seen is not None and locked.amount_refunded != seen:
            raise RefundChanged(_("Somebody has refunded this payment meanwhile. Check the new figures."))
        return make(
            locked, amount, destination=destination, reason=reason, author=terms.get("author"), key=key,
            fingerprint=fingerprint, now=now,
        )  # fmt: skip


def send(refund: Refund, *, now: datetime) -> Refund:
    """Ask the gateway for a pending refund, or about it, and apply the answer. Call it with no transaction open.

    Safe to repeat: one that may have been made without an answer is looked for before it is asked for again.
    """
    return apply(refund.pk, ask(refund, now=now), now=now)


def ask(refund: Refund, *, now: datetime) -> RefundSnapshot | GatewayError:
    """Return the gateway's answer about a refund, or its error. One without an id there must be pending: it is made."""
    gateway = registry.get(refund.gateway)
    try:
        if refund.gateway_id is not None:
            return gateway.fetch_refund(refund.gateway_id)
        request = _request(refund)
        may_be_made = refund.checks > 0 or now - refund.created_at >= LOOKED_FOR_AFTER
        found = _find(gateway, request) if may_be_made else None
        return found or gateway.refund(request)
    except GatewayError as error:
        log.warning("refund_got_no_answer", refund=refund.public_id, error=error.detail, permanent=error.permanent)
        return error


def _find(gateway: Gateway, request: RefundRequest) -> RefundSnapshot | None:
    """Look for a refund whose answer was lost. Raises GatewayError, never a permanent one."""
    try:
        return gateway.find_refund(request)
    except GatewayError as error:
        # Whatever the gateway said: it did not say that there is no refund.
        raise GatewayError(error.detail, permanent=False, code=error.code) from error


@retry.retried
def apply(refund_id: int, answer: RefundSnapshot | GatewayError, *, now: datetime) -> Refund:
    """Apply the gateway's answer in one transaction and return the refund."""
    with transaction.atomic():
        refund = lock(refund_id)
        if isinstance(answer, GatewayError):
            _apply_error(refund, answer, now=now)
        else:
            _apply_snapshot(refund, answer, now=now)
    return refund


def lock(refund_id: int) -> Refund:
    """Return the refund with its payment's row and its own locked until the transaction ends."""
    transitions.lock(Refund.objects.values_list("payment_id", flat=True).get(pk=refund_id))
    rows = Refund.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("payment__customer", "payment__subscription").get(pk=refund_id)


def make(
    payment: Payment, amount: int | None, *, destination: Refund.Destination, reason: str, author: User | None,
    key: str | None, fingerprint: str, now: datetime,
) -> Refund:  # fmt: skip
    """Create the refund of a locked payment, paid by the wallet. Call it in a transaction, and `send` it afterwards.

    Raises RefundRefused, refusals.Refused.
    """
    money = _checked(payment, amount, destination)
    refund = Refund(
        payment=payment, amount=money.amount, currency=money.currency, destination=destination, reason=reason,
        author=author, idempotency_key=key, fingerprint=fingerprint if key else None,
    )  # fmt: skip
    record(refund, now=now)
    if destination == Destination.WALLET:
        move(refund, Status.SUCCEEDED, now=now)
    return refund


def record(refund: Refund, *, now: datetime) -> None:
    """Save a new refund of a locked payment and move its money, without any check of the payment.

    The wallet does not pay for one with `is_from_wallet=False`: that money was never credited. Raises refusals.Refused.
    """
    refund.gateway, refund.created_at, refund.updated_at = refund.payment.gateway, now, now
    refund.check_at = _next_check(now, after=now) if refund.destination == Destination.CARD else None
    refund.save(force_insert=True)
    if refund.is_from_wallet:
        _move_money(refund, now=now)
    record_event(refund, "created", now=now)


def _checked(payment: Payment, amount: int | None, destination: Refund.Destination) -> Money:
    """Return what is to be refunded of a locked payment; raise RefundRefused if it cannot be."""
    if payment.status != Payment.Status.CONFIRMED or payment.received is None:
        text = _("Only a confirmed payment can be refunded. %(id)s is %(state)s.")
        said = text % {"id": payment.public_id, "state": payment.status}
        raise RefundRefused(said, param="payment_id", state=payment.status)
    if destination == Destination.CARD:
        check_card(payment, amount)
    else:
        _check_amount(payment, amount)
    return Money(payment.refundable if amount is None else amount, payment.received_currency)


def check_card(payment: Payment, amount: int | None) -> None:
    """Raise RefundRefused if so much of a locked payment cannot go back to the card, by default all that is left."""
    _check_amount(payment, amount)
    can = registry.can(payment.gateway)
    if not can.refunds:
        raise RefundRefused(_("%s cannot refund. Refund to the wallet instead.") % payment.gateway)
    is_part = payment.amount_refunded or amount not in (None, payment.amount_received)
    if is_part and not can.refunds_parts:
        raise RefundRefused(_("%s refunds whole payments only.") % payment.gateway, param="amount")


def disputes_of(payment: int | OuterRef) -> QuerySet[Dispute]:
    """Return the disputes by which the bank of a payment, by its primary key, has taken it back or may do so."""
    return Dispute.objects.filter(payment=payment).exclude(status=Dispute.Status.WON)


def _check_amount(payment: Payment, amount: int | None) -> None:
    """Raise RefundRefused if so much is not left of a locked payment, or its bank has taken it back or may do so."""
    if disputes_of(payment.pk).exists():
        raise RefundRefused(str(TAKEN_BACK))
    left = Money(payment.refundable, payment.received_currency)
    if not left.amount or not 0 < (left.amount if amount is None else amount) <= left.amount:
        text = _("At most %(left)s of this payment can still be refunded.")
        extra = {"refundable": {"value": left.plain(), "currency": left.currency}}
        raise RefundRefused(text % {"left": left}, param="amount", **extra)


def move(refund: Refund, to: Refund.Status, *, now: datetime, failure_code: str = "") -> None:
    """Move a locked refund to another state.

    One that fails gives back what the wallet has paid for it. If the wallet has not, its payment waits for staff again.
    """
    if to not in MOVES[Status(refund.status)]:
        raise transitions.IllegalMove(f"{refund}: {refund.status} -> {to}")
    refund.status, refund.updated_at, refund.failure_code = to, now, failure_code
    is_watched = to == Status.SUCCEEDED and refund.destination == Destination.CARD
    refund.check_at = _next_check(refund.created_at, after=now) if is_watched else None
    refund.save(update_fields=["status", "updated_at", "failure_code", "check_at"])
    if to == Status.FAILED and refund.is_from_wallet:
        _return_money(refund, now=now)
    elif to == Status.FAILED:
        _park_again(refund, now=now)
    elif not refund.is_from_wallet:
        _close_parked(refund, now=now)
    record_event(refund, to.value, now=now)


def record_event(refund: Refund, kind: str, *, now: datetime) -> None:
    """Record the event `refund.<kind>` with the data that a receipt or an email needs."""
    data = {
        "amount": {"value": refund.money.plain(), "currency": refund.currency},
        "payment": refund.payment.public_id,
        "destination": refund.destination,
        "status": refund.status,
        "reason": refund.reason,
        "author": refund.author.get_username() if refund.author else None,
    }
    outbox.record([outbox.Fact(refund.payment.customer_id, f"refund.{kind}", refund.public_id, now, data)])


def _move_money(refund: Refund, *, now: datetime) -> None:
    """Take the money from the wallet, which may refuse; or give it to the wallet."""
    key, description = f"refund:{refund.public_id}", refund.reason
    with books.open(refund.payment.customer, refund.currency, now=now) as book:
        if refund.destination == Destination.CARD:
            account = f"gateway_clearing:{refund.gateway}"
            book.withdraw(refund.amount, key=key, to=account, description=description, author=refund.author)
        else:
            book.top_up(
                refund.amount, key=key, source="adjustments", reason="refund", description=description,
                author=refund.author,
            )  # fmt: skip


def _return_money(refund: Refund, *, now: datetime) -> None:
    customer = refund.payment.customer
    # The customer reads it, whoever's request or worker this is.
    with translation.override(customer.language), books.open(customer, refund.currency, now=now) as book:
        book.top_up(
            refund.amount, key=f"refund:{refund.public_id}:returned", source=f"gateway_clearing:{refund.gateway}",
            reason="refund", description=_("The refund did not arrive, so the money is back on the balance"),
        )  # fmt: skip


def _close_parked(refund: Refund, *, now: datetime) -> None:
    """End a parked payment whose money has been sent back."""
    payment = refund.payment
    if payment.status == Payment.Status.UNKNOWN:
        transitions.close(payment, Payment.Status.CANCELLED, now=now, failure_code="sent_back")


def _park_again(refund: Refund, *, now: datetime) -> None:
    """Hold a payment for staff whose money was sent back, and did not arrive: it is still the customer's."""
    payment = refund.payment
    payment.refresh_from_db(fields=["amount_refunded"])
    if payment.status == Payment.Status.CANCELLED:
        why = f": {refund.failure_code}" if refund.failure_code else ""
        reason = f"{refund.money} was sent back as {refund.public_id} and did not arrive{why}"
        transitions.park(payment, reason[:200], now=now)


def _apply_snapshot(refund: Refund, snapshot: RefundSnapshot, *, now: datetime) -> None:
    if refund.gateway_id is None:
        refund.gateway_id = snapshot.gateway_id
        refund.save(update_fields=["gateway_id"])
    to = {RefundState.SUCCEEDED: Status.SUCCEEDED, RefundState.FAILED: Status.FAILED}.get(snapshot.state)
    if to is None or to == refund.status or to not in MOVES[Status(refund.status)]:
        _wait(refund, now=now)
    else:
        move(refund, to, now=now, failure_code=truncation.cut(Refund, "failure_code", snapshot.failure_code))


def _apply_error(refund: Refund, error: GatewayError, *, now: datetime) -> None:
    """Wait after no answer. A refusal of a refund that has no id at the gateway yet ends it."""
    if error.permanent and refund.gateway_id is None and refund.status == Status.PENDING:
        move(refund, Status.FAILED, now=now, failure_code=error.code[:60] or "gateway_refused")
    else:
        _wait(refund, now=now)


def _wait(refund: Refund, *, now: datetime) -> None:
    """Set the next check: of a pending refund always, of a succeeded one while its bank may still refuse it."""
    is_over = refund.status == Status.FAILED or (
        refund.status == Status.SUCCEEDED and now - refund.created_at >= WATCHED_FOR
    )
    refund.check_at = None if is_over else _next_check(refund.created_at, after=now)
    refund.checks = 1 + refund.checks
    refund.save(update_fields=["check_at", "checks"])


def _next_check(created_at: datetime, *, after: datetime) -> datetime:
    return transitions.next_check(created_at, expires_at=None, after=after)


def _request(refund: Refund) -> RefundRequest:
    assert refund.payment.gateway_id is not None
    return RefundRequest(
        idempotency_key=refund.public_id, gateway_id=refund.payment.gateway_id, amount=refund.amount,
        currency=refund.currency, description=refund.reason,
    )  # fmt: skip
