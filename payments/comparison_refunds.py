"""Comparison of our refunds and disputes with a gateway's own lists, both ways.

What was made at the gateway by hand is recorded, as after a webhook (payments.gateway_refunds, payments.disputes). What
cannot be mended in this way is left to staff.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from django.db.models import Q, QuerySet

from ledger.money import EXPONENTS, Money
from payments import disputes, gateway_refunds, refunds
from payments.gateways.aftermath import DisputeSnapshot, RefundSnapshot, RefundState
from payments.gateways.errors import GatewayError
from payments.models import Discrepancy, Dispute, Refund
from payments.reports import CHUNK, Comparison, chunks

Kind, Subject = Discrepancy.Kind, Discrepancy.Subject
Row = Refund | Dispute
Answer = RefundSnapshot | DisputeSnapshot
Given = TypeVar("Given", RefundSnapshot, DisputeSnapshot)


def compare_refunds(run: Comparison) -> str:
    """Compare window by window; return what could not be asked, empty if everything was. Raises GatewayError."""
    unasked = 0
    for since, until in run.windows():
        listed: set[str] = set()
        for chunk in chunks(run.gateway.list_refunds(since=since, until=until)):
            listed.update(snapshot.gateway_id for snapshot in chunk)
            run.report.refunds_there += len(chunk)
            rows = gateway_refunds.at_gateway(run.gateway.name, chunk)
            for snapshot in chunk:
                _compare_refund(run, gateway_refunds.match(snapshot, rows), snapshot)
        unasked += _find_missing_refunds(run, since, until, listed)
        run.save()
    return f"{unasked} refunds that are not in the list could not be asked about." if unasked else ""


def compare_disputes(run: Comparison) -> str:
    """The same for disputes."""
    unasked = 0
    for since, until in run.windows():
        listed: set[str] = set()
        for chunk in chunks(run.gateway.list_disputes(since=since, until=until)):
            listed.update(snapshot.gateway_id for snapshot in chunk)
            run.report.disputes_there += len(chunk)
            rows = Dispute.objects.filter(gateway=run.gateway.name, gateway_id__in=[each.gateway_id for each in chunk])
            by_id = {row.gateway_id: row for row in rows.select_related("payment")}
            for snapshot in chunk:
                _compare_dispute(run, by_id.get(snapshot.gateway_id), snapshot)
        unasked += _find_missing_disputes(run, since, until, listed)
        run.save()
    return f"{unasked} disputes that are not in the list could not be asked about." if unasked else ""


def refund_difference(refund: Refund, snapshot: RefundSnapshot) -> Discrepancy.Kind | None:
    """Return how a refund of ours differs from the gateway's answer about it, None if they agree. Pure."""
    return _money_difference(refund, snapshot) or (Kind.STATUS if refund.status != snapshot.state.value else None)


def dispute_difference(dispute: Dispute, snapshot: DisputeSnapshot) -> Discrepancy.Kind | None:
    """Return how a dispute of ours differs from the gateway's answer about it, None if they agree. Pure."""
    is_won = dispute.status == Dispute.Status.WON
    is_missed = disputes.is_taken(snapshot) and dispute.withdrawn_at is None and not is_won
    differs = dispute.status != snapshot.state.value or is_missed
    return _money_difference(dispute, snapshot) or (Kind.STATUS if differs else None)


def _compare_refund(run: Comparison, refund: Refund | None, snapshot: RefundSnapshot) -> None:
    if refund is None:
        if snapshot.state is not RefundState.FAILED:
            run.mend(_row(Kind.MISSING_HERE, Subject.REFUND, None, snapshot), lambda: _record_refund(run, snapshot))
    elif refund.gateway_id is None and refund.status == Refund.Status.PENDING:
        # Its answer is still on the way, or was lost.
        if not run.is_dry_run:
            refunds.apply(refund.pk, snapshot, now=run.now)
    elif kind := refund_difference(refund, snapshot):
        known = refund
        run.mend(_row(kind, Subject.REFUND, refund, snapshot), lambda: _mend_refund(run, known, snapshot.gateway_id))


def _compare_dispute(run: Comparison, dispute: Dispute | None, snapshot: DisputeSnapshot) -> None:
    kind = Kind.MISSING_HERE if dispute is None else dispute_difference(dispute, snapshot)
    if kind is not None:
        found = _row(kind, Subject.DISPUTE, dispute, snapshot)
        run.mend(found, lambda: _mend_dispute(run, kind, dispute, snapshot.gateway_id))
    elif dispute is not None and disputes.fee_differs(dispute, snapshot):
        found = _row(Kind.AMOUNT, Subject.DISPUTE, dispute, snapshot)
        run.post_fee(found, lambda: disputes.refresh(run.gateway.name, snapshot.gateway_id, now=run.now))


def _find_missing_refunds(run: Comparison, since: datetime, until: datetime, listed: set[str]) -> int:
    """Find our refunds of the window that its complete list lacks; return how many could not be asked about.

    One without an id of the gateway is not looked for while the sweep goes on asking about it.
    """
    has_id = Q(gateway_id__isnull=False) | Q(status=Refund.Status.PENDING) & ~Q(parked_reason="")
    ours = Refund.objects.filter(has_id, gateway=run.gateway.name, created_at__gte=since, created_at__lt=until)
    ours = ours.filter(destination=Refund.Destination.CARD)
    run.report.refunds_here += ours.count()
    return _ask_about_missing(run, Subject.REFUND, ours, listed, run.gateway.fetch_refund, _compare_refund)


def _find_missing_disputes(run: Comparison, since: datetime, until: datetime, listed: set[str]) -> int:
    """The same for disputes."""
    ours = Dispute.objects.filter(gateway=run.gateway.name, created_at__gte=since, created_at__lt=until)
    return _ask_about_missing(run, Subject.DISPUTE, ours, listed, run.gateway.fetch_dispute, _compare_dispute)


def _ask_about_missing(
    run: Comparison, subject: Discrepancy.Subject, ours: QuerySet[Any], listed: set[str],
    fetch: Callable[[str], Given], compare: Callable[[Comparison, Any, Given], None],
) -> int:  # fmt: skip
    """Ask the gateway about our rows that its list lacks; return how many got no answer."""
    unasked = 0
    for row in ours.order_by("pk").select_related("payment").iterator(chunk_size=CHUNK):
        if row.gateway_id in listed:
            continue
        answer = _asked(fetch, row.gateway_id)
        if not isinstance(answer, GatewayError):
            compare(run, row, answer)
        elif answer.permanent:
            run.add(_missing_there(subject, row, answer))
        else:
            unasked += 1
    return unasked


def _record_refund(run: Comparison, snapshot: RefundSnapshot) -> Discrepancy | None:
    """Ask again and record a refund that we do not have; return the discrepancy with its outcome."""
    answer = run.gateway.fetch_refund(snapshot.gateway_id)
    known = gateway_refunds.find(run.gateway.name, answer)
    found = _row(Kind.MISSING_HERE, Subject.REFUND, None, answer)
    try:
        refund = gateway_refunds.record(run.gateway.name, answer, now=run.now)
    except gateway_refunds.NotRecorded as error:
        found.outcome = f"Left to staff. {error}"[:300]
        return found
    if refund is None or known is not None:
        # It failed meanwhile, or its webhook came first.
        return None
    found.is_mended, found.payment = True, refund.payment
    found.outcome = f"Recorded as {refund.public_id}: {refund.status}. {refund.parked_reason}".strip()
    return found


def _mend_refund(run: Comparison, refund: Refund, gateway_id: str) -> Discrepancy | None:
    """Ask again and apply the answer; return the discrepancy with its outcome, None if they agree by now."""
    answer = run.gateway.fetch_refund(gateway_id)
    refund = Refund.objects.select_related("payment").get(pk=refund.pk)
    kind = refund_difference(refund, answer)
    if kind is None:
        return None
    found = _row(kind, Subject.REFUND, refund, answer)
    refund = refunds.apply(refund.pk, answer, now=run.now)
    return _with_outcome(found, refund, is_mended=refund_difference(refund, answer) is None)


def _mend_dispute(
    run: Comparison, kind: Discrepancy.Kind, dispute: Dispute | None, gateway_id: str
) -> Discrepancy | None:
    """Ask again and apply the answer, also about a dispute that we do not have."""
    answer = run.gateway.fetch_dispute(gateway_id)
    if dispute is not None:
        dispute = Dispute.objects.select_related("payment").get(pk=dispute.pk)
        current = dispute_difference(dispute, answer)
        if current is None:
            return None
        kind = current
    found = _row(kind, Subject.DISPUTE, dispute, answer)
    try:
        dispute = disputes.apply(run.gateway.name, answer, now=run.now)
    except disputes.UnknownPayment as error:
        found.outcome = f"Left to staff. {error}"[:300]
        return found
    found.payment = dispute.payment
    return _with_outcome(found, dispute, is_mended=dispute_difference(dispute, answer) is None)


def _asked(fetch: Callable[[str], Given], gateway_id: str | None) -> Given | GatewayError:
    """Return the gateway's answer about one of our rows, or its error; a permanent one if the row has no id there."""
    if gateway_id is None:
        return GatewayError("It has no id of the gateway.", permanent=True)
    try:
        return fetch(gateway_id)
    except GatewayError as error:
        return error


def _money_difference(row: Row, snapshot: Answer) -> Discrepancy.Kind | None:
    if snapshot.amount is None:
        return None
    if row.currency != snapshot.currency:
        return Kind.CURRENCY
    return Kind.AMOUNT if row.amount != snapshot.amount else None


def _row(kind: Discrepancy.Kind, subject: Discrepancy.Subject, row: Row | None, snapshot: Answer | None) -> Discrepancy:
    """Return an unsaved discrepancy that says what both sides say now."""
    known_id = snapshot.gateway_id if snapshot else row.gateway_id if row else None
    return Discrepancy(
        kind=kind, subject=subject, gateway_id=known_id or "", payment=row.payment if row else None,
        ours=f"{row.public_id} {row.status}, {row.money}" if row else "", theirs=_described(snapshot),
    )  # fmt: skip


def _missing_there(subject: Discrepancy.Subject, row: Row, error: GatewayError) -> Discrepancy:
    found = _row(Kind.MISSING_THERE, subject, row, None)
    found.outcome = f"Left to staff. {error.detail}"[:300]
    return found


def _described(snapshot: Answer | None) -> str:
    if snapshot is None:
        return ""
    if snapshot.amount is None or snapshot.currency not in EXPONENTS:
        return f"{snapshot.state}, {snapshot.amount} minor units of {snapshot.currency or '?'}"
    return f"{snapshot.state}, {Money(snapshot.amount, snapshot.currency)}"


def _with_outcome(found: Discrepancy, row: Row, *, is_mended: bool) -> Discrepancy:
    found.is_mended = is_mended
    result = f"{row.public_id} is {row.status} now." if is_mended else "Left to staff."
    found.outcome = f"{result} {row.parked_reason}".strip()[:300]
    return found
