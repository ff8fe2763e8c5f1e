"""The sandbox's side of a payment: its sessions, and what a visitor's choice does to them.

It plays the remote party, so it knows nothing of our payments. The caller passes the time.
"""

from datetime import datetime, timedelta

from django.db import transaction

from payments.gateways.sandbox.models import SandboxDelivery, SandboxSession
from payments.gateways.sandbox.outcomes import Delivery, Outcome

Status = SandboxSession.Status
# States in which the visitor can still choose.
PAYABLE = (Status.OPEN, Status.REQUIRES_ACTION)


def status_at(session: SandboxSession, now: datetime) -> SandboxSession.Status:
    """Return the session's status at `now`: delayed successes and expiry apply without a write."""
    status = Status(session.status)
    if status is Status.PROCESSING and session.succeeds_at and session.succeeds_at <= now:
        return Status.SUCCEEDED
    if status in PAYABLE and session.expires_at <= now:
        return Status.EXPIRED
    return status


def choose(
    session_id: str, outcome: Outcome, *, expected: SandboxSession.Status, now: datetime
) -> SandboxSession | None:
    """Apply the visitor's choice and return the session; return None, changing nothing, if it is not `expected`."""
    with transaction.atomic():
        session = SandboxSession.objects.select_for_update().get(session_id=session_id)
        if status_at(session, now) is not expected:
            return None
        session.outcome, session.status, session.failure_code = outcome.code, outcome.status, outcome.failure_code
        if outcome.status in (Status.SUCCEEDED, Status.PROCESSING):
            session.amount_received = (session.amount // 2 or 2) if outcome.takes_half else session.amount
        session.succeeds_at = now + outcome.delay if outcome.delay else None
        session.unreachable_until = now + outcome.silence if outcome.silence else None
        session.save()
        _schedule_webhooks(session, outcome, now=now)
    return session


def withdraw(session_id: str, *, now: datetime) -> SandboxSession:
    """Cancel a session for the merchant, unless the customer has paid or is paying; return the session."""
    with transaction.atomic():
        session = SandboxSession.objects.select_for_update().get(session_id=session_id)
        if status_at(session, now) in PAYABLE:
            session.status = Status.CANCELLED
            session.save(update_fields=["status"])
    return session


def _schedule_webhooks(session: SandboxSession, outcome: Outcome, *, now: datetime) -> None:
    """Save the deliveries of an outcome. Both deliveries of TWICE have the same event id, as at a real gateway."""
    kind = "session.succeeded" if session.status == Status.PROCESSING else f"session.{session.status}"
    due = now + (outcome.delay or timedelta(0))
    if outcome.delivery is Delivery.NEVER:
        return
    first = SandboxDelivery.objects.create(session=session, type=kind, next_try_at=due)
    if outcome.delivery is Delivery.TWICE:
        SandboxDelivery.objects.create(session=session, type=kind, next_try_at=due, event_id=first.event_id)
