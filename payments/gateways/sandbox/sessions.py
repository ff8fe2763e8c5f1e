"""The sandbox's own side of the counter: its sessions, and what a visitor's choice does to them.

Plays the remote party: knows nothing of payments, and its clock is given by whoever calls.
"""

from datetime import datetime, timedelta

from django.db import transaction

from payments.gateways.sandbox.models import SandboxDelivery, SandboxSession
from payments.gateways.sandbox.outcomes import Delivery, Outcome

Status = SandboxSession.Status
# Where a visitor's choice still counts.
PAYABLE = (Status.OPEN, Status.REQUIRES_ACTION)


def status_at(session: SandboxSession, now: datetime) -> SandboxSession.Status:
    """How the session stands at `now`: the row, and what time has done to it since."""
    status = Status(session.status)
    if status is Status.PROCESSING and session.succeeds_at and session.succeeds_at <= now:
        return Status.SUCCEEDED
    if status in PAYABLE and session.expires_at <= now:
        return Status.EXPIRED
    return status


def choose(
    session_id: str, outcome: Outcome, *, expected: SandboxSession.Status, now: datetime
) -> SandboxSession | None:
    """Do what the visitor chose, if the session still stands as `expected`; None: it does not, nothing was done."""
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
        _owe_webhooks(session, outcome, now=now)
    return session


def withdraw(session_id: str, *, now: datetime) -> SandboxSession:
    """Cancel on the merchant's word: only what nobody has paid or begun to pay."""
    with transaction.atomic():
        session = SandboxSession.objects.select_for_update().get(session_id=session_id)
        if status_at(session, now) in PAYABLE:
            session.status = Status.CANCELLED
            session.save(update_fields=["status"])
    return session


def _owe_webhooks(session: SandboxSession, outcome: Outcome, *, now: datetime) -> None:
    """Write down what must be delivered. Twice means the same event twice, as a real gateway would."""
    kind = "session.succeeded" if session.status == Status.PROCESSING else f"session.{session.status}"
    due = now + (outcome.delay or timedelta(0))
    if outcome.delivery is Delivery.NEVER:
        return
    first = SandboxDelivery.objects.create(session=session, type=kind, next_try_at=due)
    if outcome.delivery is Delivery.TWICE:
        SandboxDelivery.objects.create(session=session, type=kind, next_try_at=due, event_id=first.event_id)
