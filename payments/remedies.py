"""Remedies for discrepancies that a report has left to staff: what is safe at one click, and what is done by hand.

Safe is to ask the gateway again and to apply its answer as after a webhook: that confirms a payment, ends it, posts its
fee, or parks it. Nothing here changes what was credited: another amount or currency waits for a decision on the page of
the payment.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db import transaction
from django.db.models import F

from accounts.models import User
from payments import confirmation, discrepancies
from payments.gateways import registry
from payments.gateways.errors import GatewayError
from payments.gateways.sessions import Snapshot, State
from payments.models import Discrepancy, GatewayReport, Payment

Kind = Discrepancy.Kind
Status = Payment.Status


class Remedy(StrEnum):
    """What can be done about a discrepancy. All but `ASK` are done by hand."""

    # Nothing: it is mended.
    NOTHING = "nothing"
    # Ask the gateway again and apply its answer. Safe at one click.
    ASK = "ask"
    # Accept or send back the money of the parked payment, on its page.
    DECIDE = "decide"
    # We have credited another amount or in another currency than the gateway says.
    CORRECT = "correct"
    # The gateway has a payment that is not ours.
    FIND_PAYER = "find_payer"
    # The gateway took money twice for one payment of ours.
    REFUND_THERE = "refund_there"
    # We have a payment that the gateway cannot know: it has no id there.
    FIND_MONEY = "find_money"


def of(row: Discrepancy) -> Remedy:
    """Return what can be done about a discrepancy as the rows are now. No gateway is asked."""
    if row.is_mended:
        return Remedy.NOTHING
    payment = payment_of(row)
    if payment is None:
        return Remedy.FIND_PAYER
    if payment.parked_reason and payment.received is not None:
        return Remedy.DECIDE
    match Kind(row.kind):
        case Kind.CURRENCY:
            return Remedy.ASK if payment.status != Status.CONFIRMED else Remedy.CORRECT
        case Kind.AMOUNT:
            # A fee that is not posted yet is an amount that differs. Any other is not for one click.
            is_safe = payment.status != Status.CONFIRMED or payment.fee is None
            return Remedy.ASK if is_safe else Remedy.CORRECT
        case Kind.MISSING_HERE:
            is_same = payment.gateway_id in (None, row.gateway_id)
            return Remedy.ASK if is_same else Remedy.REFUND_THERE
        case Kind.MISSING_THERE:
            return Remedy.FIND_MONEY if payment.gateway_id is None else Remedy.ASK
        case Kind.STATUS:
            return Remedy.ASK


def mend(row: Discrepancy, *, by: User, now: datetime) -> Discrepancy:
    """Ask the gateway about a discrepancy for which that is safe, apply its answer and return the row.

    The row says what was done, and by whom if both sides agree now. Any other discrepancy is returned as it is. Done
    twice, it acts once. Call it with no transaction open.
    """
    payment = payment_of(row)
    if of(row) is not Remedy.ASK or payment is None:
        return row
    answer = _ask(row, payment)
    if isinstance(answer, GatewayError):
        said = "The gateway does not know it" if answer.permanent else "The gateway gave no answer"
        return _noted(row, f"Left to staff. {said}: {answer.detail}")
    if payment.gateway_id is None:
        if answer.idempotency_key != payment.public_id or not discrepancies.is_adoptable(payment, answer):
            return _noted(row, "Left to staff. The gateway does not say that this is our payment.")
        discrepancies.adopt(payment, answer, now=now)
    before = payment
    payment = confirmation.apply(payment.pk, answer, now=now)
    if discrepancies.difference(payment, answer) is not None or discrepancies.fee_is_missing(payment, answer):
        return _noted(row, f"Left to staff. {_what(payment, answer)}", payment=payment)
    return _mended(row, _done(before, payment), payment=payment, by=by, now=now)


def learn(rows: Iterable[Discrepancy]) -> None:
    """Read, with one query, the payments of one report's rows that we have learned of since. For pages of many rows."""
    unknown: list[Any] = [row for row in rows if row.payment is None and not hasattr(row, "learned")]
    ids = {row.gateway_id for row in unknown}
    found = Payment.objects.filter(gateway=unknown[0].report.gateway, gateway_id__in=ids) if unknown else []
    payments = {payment.gateway_id: payment for payment in found}
    for row in unknown:
        row.learned = payments.get(row.gateway_id)


def payment_of(row: Discrepancy) -> Payment | None:
    """Return our payment of a discrepancy: also one that we have learned of since."""
    if row.payment is not None or not row.gateway_id:
        return row.payment
    if hasattr(row, "learned"):
        return row.learned  # type: ignore[no-any-return]
    return Payment.objects.filter(gateway=row.report.gateway, gateway_id=row.gateway_id).first()


def _ask(row: Discrepancy, payment: Payment) -> Snapshot | GatewayError:
    try:
        return registry.get(row.report.gateway).fetch(payment.gateway_id or row.gateway_id)
    except GatewayError as error:
        return error


def _done(before: Payment, payment: Payment) -> str:
    """Return what the answer has changed, in a sentence."""
    if before.status != payment.status:
        return f"{payment.public_id} was {before.status} and is {payment.status} now."
    if before.fee != payment.fee:
        return f"The fee of {payment.public_id} is posted: {discrepancies.describe(payment)}."
    return f"Both sides agree by now: {discrepancies.describe(payment)}."


def _what(payment: Payment, answer: Snapshot) -> str:
    """Return what both sides say after the gateway was asked again."""
    if payment.parked_reason:
        return f"{payment.public_id} waits for a decision: {payment.parked_reason}"
    is_open = answer.state in (State.OPEN, State.PROCESSING, State.REQUIRES_ACTION)
    here, there = discrepancies.describe(payment), discrepancies.describe_answer(answer)
    return f"{'Still open there. ' if is_open else ''}Here: {here}. There: {there}."


def _noted(row: Discrepancy, outcome: str, payment: Payment | None = None) -> Discrepancy:
    """Store why a discrepancy is not mended, unless somebody else has mended it meanwhile."""
    rows = Discrepancy.objects.filter(pk=row.pk, is_mended=False)
    rows.update(outcome=outcome[:300], payment=row.payment or payment)
    row.refresh_from_db()
    return row


def _mended(row: Discrepancy, outcome: str, *, payment: Payment, by: User, now: datetime) -> Discrepancy:
    """Store that a discrepancy is mended, once, with its report's counts."""
    with transaction.atomic():
        done = Discrepancy.objects.filter(pk=row.pk, is_mended=False).update(
            is_mended=True, outcome=outcome[:300], payment=payment, mended_by=by, mended_at=now
        )
        counts = {"mended": F("mended") + done, "left": F("left") - done}
        GatewayReport.objects.filter(pk=row.report_id).update(**counts)
    row.refresh_from_db()
    return row
