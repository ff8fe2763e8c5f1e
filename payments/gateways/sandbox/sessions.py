"""The sandbox's side of a payment: its sessions, and what a visitor's choice does to them.

It plays the remote party, so it knows nothing of our payments. The caller passes the time.
"""

from datetime import datetime, timedelta

from django.db import transaction

from payments.gateways.sandbox import disputes, methods, webhooks
from payments.gateways.sandbox.models import SandboxSession
from payments.gateways.sandbox.outcomes import Delivery, DisputeStatus, Outcome

Status = SandboxSession.Status
LONGEST_PAGE = timedelta(hours=24)
# States in which the visitor can still choose.
PAYABLE = (Status.OPEN, Status.REQUIRES_ACTION)
# When an older webhook arrives, after the newer one.
REORDERED_AFTER = timedelta(seconds=3)
# When a dispute is opened after the payment, and decided after that.
DISPUTED_AFTER = timedelta(seconds=20)
DECIDED_AFTER = timedelta(seconds=60)


def choose(
    session_id: str, outcome: Outcome, *, expected: SandboxSession.Status, now: datetime
) -> SandboxSession | None:
    """Apply the visitor's choice and return the session; return None, changing nothing, if it is not `expected`."""
    with transaction.atomic():
        session = SandboxSession.objects.select_for_update().get(session_id=session_id)
        if session.status_at(now) is not expected:
            return None
        session.outcome, session.status, session.failure_code = outcome.code, outcome.status, outcome.failure_code
        paid = outcome.status in (Status.SUCCEEDED, Status.PROCESSING) or outcome.delay is not None
        if paid:
            session.succeeds_at = now + (outcome.delay or timedelta(0))
            session.amount_received = (session.amount // 2 or 2) if outcome.takes_half else session.amount
        if outcome.takes_other_currency:
            session.currency_received = "USD" if session.currency == "EUR" else "EUR"
        session.unreachable_until = now + outcome.silence if outcome.silence else None
        session.save()
        _schedule_webhooks(session, outcome, now=now)
        if paid and session.save_method:
            methods.keep(session, outcome.card[-4:])
        if outcome.dispute:
            _schedule_dispute(session, outcome.dispute, now=now)
    return session


def withdraw(session_id: str, *, now: datetime) -> SandboxSession:
    """Cancel a session for the merchant, unless the customer has paid or is paying; return the session."""
    with transaction.atomic():
        session = SandboxSession.objects.select_for_update().get(session_id=session_id)
        if session.status_at(now) in PAYABLE:
            session.status = Status.CANCELLED
            session.save(update_fields=["status"])
    return session


def _schedule_webhooks(session: SandboxSession, outcome: Outcome, *, now: datetime) -> None:
    """Save the webhooks of an outcome. Both of TWICE have the same event id, as at a real gateway."""
    if outcome.delivery is Delivery.NEVER:
        return
    of, kind = session.session_id, "setup" if session.is_setup else "session"
    if outcome.status not in (Status.SUCCEEDED, Status.PROCESSING):
        webhooks.schedule(session, f"{kind}.{outcome.status}", of, at=now)
    if session.succeeds_at is None:
        return
    event_id = webhooks.schedule(session, f"{kind}.succeeded", of, at=session.succeeds_at)
    if outcome.delivery is Delivery.TWICE:
        webhooks.schedule(session, f"{kind}.succeeded", of, at=session.succeeds_at, event_id=event_id)
    if outcome.delivery is Delivery.REORDERED:
        webhooks.schedule(session, f"{kind}.failed", of, at=session.succeeds_at + REORDERED_AFTER)


def _schedule_dispute(session: SandboxSession, ends_as: DisputeStatus, *, now: datetime) -> None:
    """Let the payment be disputed soon. It is for the whole amount, even if it is refunded by then, as banks do."""
    opens_at = now + DISPUTED_AFTER
    dispute = disputes.schedule(session, session.amount_received or 0, at=opens_at)
    if ends_as is not DisputeStatus.OPEN:
        disputes.decide(dispute.dispute_id, ends_as, at=opens_at + DECIDED_AFTER, now=now)
