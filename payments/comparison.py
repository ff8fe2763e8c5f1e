"""Comparison of our payments with each gateway's own list, both ways, and the stored report of it.

Day by day: the list is read as a stream, and our rows are looked up a chunk at a time. A payment is missing at the
gateway only if a complete list lacks it and the gateway does not know its id either. The lists of refunds, disputes
(payments.comparison_refunds) and payouts follow.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db.models import Min, Q

from core import clock
from ledger.money import NotMoney
from payments import comparison_refunds, confirmation, discrepancies, payouts, transitions
from payments.gateways import registry
from payments.gateways.aftermath import PayoutSnapshot
from payments.gateways.base import Gateway
from payments.gateways.errors import GatewayError
from payments.gateways.sessions import Snapshot
from payments.models import Discrepancy, GatewayReport, Payment, Payout
from payments.reports import CHUNK, Comparison, chunks

log = structlog.get_logger(__name__)
Kind = Discrepancy.Kind

# What is compared every day: late states and fees of the last days too.
SPAN = timedelta(days=3)
# So late a bank may send a payout back: payouts are asked for from this long before the span.
PAYOUTS_RETURN_WITHIN = timedelta(days=14)

# Called with the comparison and the instant up to which it has come, for a display of progress.
Watch = Callable[[Comparison, datetime], None]


def compare_all(
    *, now: datetime, only: str | None = None, full: bool = False, is_dry_run: bool = False, watch: Watch | None = None
) -> list[Comparison]:
    """Compare with every gateway that has keys, offered or not, or with the one of that name; return the results.

    The span is the last three days or, with `full`, since the gateway's first payment. A gateway without keys that has
    payments in it could not be asked, and its report says so. One gateway that fails does not stop the others. Raises
    UnknownGateway. Call it with no transaction open.
    """
    since = {name: _first(name, now) if full else now - SPAN for name in settings.GATEWAY_CLASSES}
    return [
        compare(registry.get(name), since=since[name], now=now, is_dry_run=is_dry_run, watch=watch)
        for name in ([registry.get(only).name] if only is not None else settings.GATEWAY_CLASSES)
        if name == only or registry.is_configured(name) or _has_payments(name, since=since[name])
    ]


def compare(
    gateway: Gateway, *, since: datetime, now: datetime, is_dry_run: bool = False, watch: Watch | None = None
) -> Comparison:
    """Compare what was made from `since` to `now`, mend what is safe, record payouts, and return the result."""
    report = GatewayReport(gateway=gateway.name, since=since, until=now, started_at=now)
    run = Comparison(gateway, report, now, is_dry_run)
    if not registry.is_configured(gateway.name):
        report.payments_failure, report.finished_at = "It has no keys, so it was not asked.", now
        run.save()
        return run
    run.save()
    report.payments_failure = _failure_of(lambda: _compare_payments(run, watch), run)
    report.refunds_failure = _failure_of(lambda: comparison_refunds.compare_refunds(run), run)
    report.disputes_failure = _failure_of(lambda: comparison_refunds.compare_disputes(run), run)
    report.payouts_failure = _failure_of(lambda: _record_payouts(run), run)
    report.finished_at = clock.now()
    run.save()
    if run.left or not report.is_complete:
        log.warning("gateway_comparison", gateway=gateway.name, left=len(run.left), complete=report.is_complete)
    return run


def _compare_payments(run: Comparison, watch: Watch | None) -> str:
    """Compare window by window; return what could not be asked, empty if everything was. Raises GatewayError."""
    unasked = 0
    for since, until in run.windows():
        listed: set[str] = set()
        for chunk in chunks(run.gateway.list_payments(since=since, until=until)):
            listed.update(snapshot.gateway_id for snapshot in chunk)
            _compare_chunk(run, chunk)
            if watch:
                watch(run, since)
        unasked += _find_missing(run, since, until, listed)
        run.save()
        if watch:
            watch(run, until)
    return f"{unasked} payments that are not in the list could not be asked about." if unasked else ""


def _compare_chunk(run: Comparison, chunk: list[Snapshot]) -> None:
    """Compare listed payments with ours, which one query finds by the gateway's ids and by our keys."""
    ids = [snapshot.gateway_id for snapshot in chunk]
    keys = [snapshot.idempotency_key for snapshot in chunk if snapshot.idempotency_key]
    ours = list(Payment.objects.filter(Q(gateway_id__in=ids) | Q(public_id__in=keys), gateway=run.gateway.name))
    by_id = {payment.gateway_id: payment for payment in ours}
    by_key = {payment.public_id: payment for payment in ours}
    run.report.payments_there += len(chunk)
    for snapshot in chunk:
        payment = by_id.get(snapshot.gateway_id)
        if payment is not None:
            _compare_pair(run, payment, snapshot)
        else:
            _compare_unmatched(run, by_key.get(snapshot.idempotency_key), snapshot)


def _compare_pair(run: Comparison, payment: Payment, snapshot: Snapshot) -> None:
    kind = discrepancies.difference(payment, snapshot)
    if kind is not None:
        found = discrepancies.row(kind, payment=payment, snapshot=snapshot)
        run.mend(found, lambda: discrepancies.mend(payment, snapshot, kind, now=run.now))
    elif discrepancies.fee_is_missing(payment, snapshot):
        found = discrepancies.row(Kind.AMOUNT, payment=payment, snapshot=snapshot)
        run.post_fee(found, lambda: confirmation.apply(payment.pk, snapshot, now=run.now))


def _compare_unmatched(run: Comparison, payment: Payment | None, snapshot: Snapshot) -> None:
    """Handle a listed payment whose id we do not have. `payment` is ours that has asked for it by its key, if any."""
    if payment is not None and discrepancies.is_adoptable(payment, snapshot):
        adopted, found = payment, discrepancies.row(Kind.MISSING_HERE, payment=payment, snapshot=snapshot)
        run.mend(found, lambda: discrepancies.adopt(adopted, snapshot, now=run.now))
    elif payment is None or not discrepancies.is_unused_page(snapshot):
        run.add(discrepancies.row(Kind.MISSING_HERE, payment=payment, snapshot=snapshot))


def _find_missing(run: Comparison, since: datetime, until: datetime, listed: set[str]) -> int:
    """Find our payments of the window that its complete list lacks; return how many could not be asked about.

    Only those that are open or for which money came: of the others nobody needs to know.
    """
    unasked = 0
    matters = Q(status__in=transitions.OPEN, gateway_id__isnull=False) | Q(amount_received__isnull=False)
    ours = Payment.objects.filter(matters, gateway=run.gateway.name, created_at__gte=since, created_at__lt=until)
    missing = []
    for pk, gateway_id in ours.values_list("pk", "gateway_id").iterator(chunk_size=10_000):
        run.report.payments_here += 1
        if gateway_id not in listed:
            missing.append(pk)
    for payment in Payment.objects.filter(pk__in=missing).order_by("pk").iterator(chunk_size=CHUNK):
        # One that was made there a moment after the window's end is in the next list: ask for it by its id.
        answer = confirmation.ask(payment) if payment.gateway_id else None
        if isinstance(answer, Snapshot):
            _compare_pair(run, payment, answer)
        elif answer is not None and not answer.permanent:
            unasked += 1
        else:
            outcome = f"Left to staff. {answer.detail if answer else 'It has no id of the gateway.'}"
            run.add(discrepancies.row(Kind.MISSING_THERE, payment=payment, outcome=outcome))
    return unasked


def _record_payouts(run: Comparison) -> str:
    """Record the payouts that the gateway lists; return what was refused. Raises GatewayError."""
    refused = []
    since = run.report.since - PAYOUTS_RETURN_WITHIN
    for snapshot in run.gateway.list_payouts(since=since, until=run.report.until):
        try:
            run.report.payouts_posted += _is_payout_news(run, snapshot)
        except (payouts.PayoutRefused, NotMoney) as error:
            refused.append(str(error))
    return " ".join(refused)


def _is_payout_news(run: Comparison, snapshot: PayoutSnapshot) -> bool:
    """Record a payout and tell whether anything was posted; in a dry run, whether anything would be."""
    if not run.is_dry_run:
        return payouts.record(run.gateway.name, snapshot, now=run.now)[1]
    known = Payout.objects.filter(gateway=run.gateway.name, gateway_id=snapshot.gateway_id).first()
    return known is None or (known.is_paid and not snapshot.is_paid)


def _failure_of(work: Callable[[], str], run: Comparison) -> str:
    """Do the work and return what could not be asked, in a sentence for staff; empty if nothing failed."""
    try:
        return work()[:300]
    except GatewayError as error:
        return f"The list is incomplete: {error.detail}"[:300]
    except SoftTimeLimitExceeded:
        # The worker must stop. The report stays unfinished, which counts as incomplete.
        raise
    except Exception as error:
        log.exception("gateway_comparison_failed", gateway=run.gateway.name)
        return f"The list is incomplete: {type(error).__name__}: {error}"[:300]


def _has_payments(gateway: str, *, since: datetime) -> bool:
    return Payment.objects.filter(gateway=gateway, gateway_id__isnull=False, created_at__gte=since).exists()


def _first(gateway: str, now: datetime) -> datetime:
    """Return when the gateway's first payment was made with us."""
    first: datetime | None = Payment.objects.filter(gateway=gateway).aggregate(at=Min("created_at"))["at"]
    return min(first or now, now - SPAN)
