"""Processing of stored webhook events, one by one.

An event is only a hint: the object it names (a payment, refund, dispute, method or payout) is fetched from the gateway.
So duplicates, reordering and replays do no harm. An event that cannot be processed is parked and tried again, never
dropped.
"""

import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.db import transaction

from ledger.money import NotMoney
from payments import confirmation, disputes, gateway_refunds, methods, payouts, setups, sweeps
from payments.gateways import registry
from payments.gateways.base import Subject
from payments.gateways.errors import GatewayError
from payments.models import MethodSetup, Payment, PaymentMethod, WebhookEvent

log = structlog.get_logger(__name__)
Status = WebhookEvent.Status
# The status of an event and what staff read about it.
Result = tuple[WebhookEvent.Status, str]

# The most events that one sweep processes.
BATCH = 200
# A claim lasts this long. If its worker dies, the event becomes due again.
LEASE = timedelta(minutes=2)


def process(event_pk: int, *, now: datetime) -> WebhookEvent | None:
    """Process one event and return it; None if it is not due or another worker has it."""
    event = _claim(now=now, at=now, pk=event_pk)
    return _process(event, now=now) if event else None


def sweep(*, now: datetime, goes_on: Callable[[], bool] = sweeps.always, **which: Any) -> int:
    """Process the events that are due at `now` and match the filters `which`; return how many were processed.

    `goes_on` is asked before each event: once it says no, the others stay due.
    """
    started = time.monotonic()
    for done in range(BATCH):
        if not goes_on():
            return done
        at = now + timedelta(seconds=int(time.monotonic() - started))
        event = _claim(now=now, at=at, **which)
        if event is None:
            return done
        _process(event, now=at)
    return BATCH


def due_gateways(*, now: datetime) -> list[str]:
    """Return the names of the gateways that have events due."""
    due = WebhookEvent.objects.filter(next_try_at__lte=now)
    return sorted(due.values_list("gateway", flat=True).distinct())


def replay(event_pks: Iterable[int], *, now: datetime) -> int:
    """Mark events as due again, whatever their status; return how many. For staff."""
    events = WebhookEvent.objects.filter(pk__in=list(event_pks))
    return events.update(status=Status.RECEIVED, next_try_at=now, tries=0)


def next_event_try(received_at: datetime, *, tries: int, now: datetime) -> datetime | None:
    """Return when to try a failed event again: after 5 s, 10 s, 20 s ... up to one hour.

    Return None once the event is 72 hours old: it stays parked for staff.
    """
    wait = timedelta(seconds=min(5 * 2 ** min(tries - 1, 10), 3600))
    return now + wait if now + wait <= received_at + timedelta(hours=72) else None


def _claim(*, now: datetime, at: datetime, **which: Any) -> WebhookEvent | None:
    """Claim an event that is due at `now`, until LEASE after `at`, the moment it is taken."""
    due = WebhookEvent.objects.filter(next_try_at__lte=now, **which).order_by("next_try_at")
    with transaction.atomic():
        event = due.select_for_update(skip_locked=True).first()
        if event:
            event.tries += 1
            event.next_try_at = at + LEASE
            event.save(update_fields=["tries", "next_try_at"])
    return event


def _process(event: WebhookEvent, *, now: datetime) -> WebhookEvent:
    """Process a claimed event and save the outcome. An error parks this event and stops no other."""
    try:
        status, outcome = _outcome(event, now=now)
    except SoftTimeLimitExceeded:
        # The worker must stop. The event's lease runs out, and it is tried again.
        raise
    except Exception as error:
        log.exception("webhook_not_processed", gateway=event.gateway, event_id=event.event_id)
        status, outcome = Status.PARKED, f"{type(error).__name__}: {error}"
    event.status, event.outcome = status, outcome[:300]
    done = status is not Status.PARKED
    event.processed_at = now if done else None
    event.next_try_at = None if done else next_event_try(event.received_at, tries=event.tries, now=now)
    event.save(update_fields=["status", "outcome", "processed_at", "next_try_at"])
    return event


def _outcome(event: WebhookEvent, *, now: datetime) -> tuple[WebhookEvent.Status, str]:
    if not event.gateway_id or event.subject not in OUTCOMES:
        return Status.IGNORED, "Not about a payment, a refund, a dispute, a payment method or a payout."
    return OUTCOMES[Subject(event.subject)](event, now)


def _payment(event: WebhookEvent, now: datetime) -> Result:
    payment = Payment.objects.filter(gateway=event.gateway, gateway_id=event.gateway_id).first()
    if payment is None:
        return Status.PARKED, f"No payment has the gateway id {event.gateway_id}."
    answer = confirmation.ask(payment)
    payment = confirmation.apply(payment.pk, answer, now=now)
    if isinstance(answer, GatewayError) and not answer.permanent:
        # Whatever the payment is: the event may be about money that came late, or a fee.
        return Status.PARKED, f"{payment.public_id}: the gateway did not answer."
    return Status.PROCESSED, f"{payment.public_id}: {payment.status}. {payment.parked_reason}".strip()


def _refund(event: WebhookEvent, now: datetime) -> Result:
    """Ask about a refund of ours, or record one that was made at the gateway by hand."""
    snapshot = registry.get(event.gateway).fetch_refund(event.gateway_id)
    try:
        refund = gateway_refunds.record(event.gateway, snapshot, now=now)
    except gateway_refunds.NotRecorded as error:
        return Status.PARKED, str(error)
    if refund is None:
        return Status.PROCESSED, f"The refund {event.gateway_id} has failed, and we had not recorded it."
    return Status.PROCESSED, f"{refund.public_id}: {refund.status}. {refund.parked_reason}".strip()


def _dispute(event: WebhookEvent, now: datetime) -> Result:
    try:
        dispute = disputes.refresh(event.gateway, event.gateway_id, now=now)
    except disputes.UnknownPayment as error:
        return Status.PARKED, str(error)
    return Status.PROCESSED, f"{dispute.public_id}: {dispute.status}. {dispute.parked_reason}".strip()


def _method(event: WebhookEvent, now: datetime) -> Result:
    row = PaymentMethod.objects.filter(gateway=event.gateway, gateway_id=event.gateway_id).first()
    if row is None and (setup := _find_setup(event)):
        # It is being saved on a page of its own, whose id is that of the method.
        return _refreshed(setup, now)
    if row is None:
        return Status.IGNORED, f"No payment method has the gateway id {event.gateway_id}."
    try:
        method = registry.get(event.gateway).fetch_method(event.gateway_id)
    except GatewayError as error:
        if not error.permanent:
            raise
        # YooKassa does not show every method that a payment has saved. What the payment said of it holds.
        return Status.PROCESSED, f"{row.public_id}: unchanged. {error.detail}"
    row = methods.apply(row, method, now=now)
    return Status.PROCESSED, f"{row.public_id}: {'removed' if row.removed_at else 'kept'}."


def _setup(event: WebhookEvent, now: datetime) -> Result:
    setup = _find_setup(event)
    if setup is None:
        return Status.PARKED, f"No page that saves a payment method has the gateway id {event.gateway_id}."
    return _refreshed(setup, now)


def _find_setup(event: WebhookEvent) -> MethodSetup | None:
    rows = MethodSetup.objects.filter(gateway=event.gateway, gateway_id=event.gateway_id)
    return rows.select_related("customer").first()


def _refreshed(setup: MethodSetup, now: datetime) -> Result:
    setup = setups.refresh(setup, now=now)
    return Status.PROCESSED, f"{setup.public_id}: {setup.status}."


def _payout(event: WebhookEvent, now: datetime) -> Result:
    """Record a payout that has arrived, or was sent back. Safe beside the daily list: each is posted once."""
    snapshot = registry.get(event.gateway).fetch_payout(event.gateway_id)
    if snapshot is None:
        return Status.PROCESSED, f"The payout {event.gateway_id} has not arrived yet."
    try:
        payout, _is_news = payouts.record(event.gateway, snapshot, now=now)
    except (payouts.PayoutRefused, NotMoney) as error:
        return Status.PARKED, str(error)
    return Status.PROCESSED, f"{payout.public_id}: {payout.money}, {'paid' if payout.is_paid else 'sent back'}."


OUTCOMES: dict[Subject, Callable[[WebhookEvent, datetime], Result]] = {
    Subject.PAYMENT: _payment,
    Subject.REFUND: _refund,
    Subject.DISPUTE: _dispute,
    Subject.METHOD: _method,
    Subject.SETUP: _setup,
    Subject.PAYOUT: _payout,
}
