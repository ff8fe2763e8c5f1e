"""Refunds: money of a payment that goes back to the card, or to the wallet.

A refund is a row before the gateway is asked, and its id is the gateway's idempotency key. The wallet pays first; a
refund that fails brings the money back. The payment's row is locked before anything is decided, so that refunds never
exceed it, however many are asked for at once; the database holds that too.
"""

from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from core import idempotency, retry
from core.errors import DomainError
from events import outbox
from ledger.money import Money
from payments import transitions, truncation
from payments.gateways import registry
from payments.gateways.base import RefundRequest, RefundSnapshot, RefundState
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


class RefundRefused(DomainError):
    """The refund is not possible. `refundable` is what can still be refunded, if the amount was the reason."""

    code = "refund_refused"


def issue(
    payment: Payment, *, now: datetime, amount: int | None = None, destination: Refund.Destination = Destination.CARD,
    reason: str = "", author: User | None = None, idempotency_key: str | None = None,
) -> Refund:  # fmt: skip
    """Refund `amount` minor units of a confirmed payment, by default all that is left of it, and return the refund.

    To the card, the wallet pays first, and the gateway is asked at once; without its answer the refund stays
    `pending` and the sweep asks again. To the wallet, it is money of the seller that the customer gets back. Raises
    RefundRefused, refusals.Refused if the wallet cannot pay, KeyReused.
    """
    refund = _issue(
        payment.pk, amount, destination=destination, reason=reason, author=author, key=idempotency_key, now=now
    )
    return send(refund, now=now) if refund.status == Status.PENDING else refund


def send(refund: Refund, *, now: datetime) -> Refund:
    """Ask the gateway for a pending refund, or about it, and apply the answer. Call it with no transaction open.

    Safe to repeat: one that may have been made without an answer is looked for before it is asked for again.
    """
    return apply(refund.pk, ask(refund), now=now)


def ask(refund: Refund) -> RefundSnapshot | GatewayError:
    """Return the gateway's answer about a refund, or its error. One without an id there must be pending: it is made."""
    gateway = registry.get(refund.gateway)
    try:
        if refund.gateway_id is not None:
            return gateway.fetch_refund(refund.gateway_id)
        request = _request(refund)
        found = gateway.find_refund(request) if refund.checks else None
        return found or gateway.refund(request)
    except GatewayError as error:
        log.warning("refund_got_no_answer", refund=refund.public_id, error=error.detail, permanent=error.permanent)
        return error


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


@retry.retried
def _issue(
    payment_id: int, amount: int | None, *, destination: Refund.Destination, reason: str, author: User | None,
    key: str | None, now: datetime,
) -> Refund:  # fmt: skip
    """Create and commit the refund, paid by the wallet; or return the one that this request has made before."""
    fingerprint = idempotency.fingerprint(amount=amount, destination=destination, reason=reason)
    with transaction.atomic():
        payment = transitions.lock(payment_id)
        if before := idempotency.find(payment.refunds.all(), key, fingerprint=fingerprint):
            return before
        return make(
            payment, amount, destination=destination, reason=reason, author=author, key=key, fingerprint=fingerprint,
            now=now,
        )  # fmt: skip


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


def _check_amount(payment: Payment, amount: int | None) -> None:
    """Raise RefundRefused if so much is not left of a locked payment, or its bank has taken it back or may do so."""
    if payment.disputes.exclude(status=Dispute.Status.WON).exists():
        raise RefundRefused(_("The customer's bank has taken this payment back, so it cannot be refunded as well."))
    left = Money(payment.refundable, payment.received_currency)
    if not left.amount or not 0 < (left.amount if amount is None else amount) <= left.amount:
        text = _("At most %(left)s of this payment can still be refunded.")
        extra = {"refundable": {"value": left.plain(), "currency": left.currency}}
        raise RefundRefused(text % {"left": left}, param="amount", **extra)


def move(refund: Refund, to: Refund.Status, *, now: datetime, failure_code: str = "") -> None:
    """Move a locked refund to another state. One that fails gives back what the wallet has paid for it."""
    if to not in MOVES[Status(refund.status)]:
        raise transitions.IllegalMove(f"{refund}: {refund.status} -> {to}")
    refund.status, refund.updated_at, refund.failure_code = to, now, failure_code
    is_watched = to == Status.SUCCEEDED and refund.destination == Destination.CARD
    refund.check_at = _next_check(refund.created_at, after=now) if is_watched else None
    refund.save(update_fields=["status", "updated_at", "failure_code", "check_at"])
    if to == Status.FAILED:
        _return_money(refund, now=now)
    if to == Status.SUCCEEDED and not refund.is_from_wallet:
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
    if not refund.is_from_wallet:
        return
    with books.open(refund.payment.customer, refund.currency, now=now) as book:
        book.top_up(
            refund.amount, key=f"refund:{refund.public_id}:returned", source=f"gateway_clearing:{refund.gateway}",
            reason="refund", description=_("The refund did not arrive, so the money is back on the balance"),
        )  # fmt: skip


def _close_parked(refund: Refund, *, now: datetime) -> None:
    """End a parked payment whose money has been sent back."""
    payment = refund.payment
    if payment.status == Payment.Status.UNKNOWN:
        transitions.close(payment, Payment.Status.CANCELLED, now=now, failure_code="sent_back")


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
