"""Disputes at the sandbox: the customer's bank takes money back; later the seller wins or loses."""

from datetime import datetime, timedelta

from django.db import transaction

from payments.gateways.sandbox import refunds, webhooks
from payments.gateways.sandbox.models import SandboxDispute, SandboxSession

Status = SandboxDispute.Status
# So long the seller may answer.
ANSWER_WITHIN = timedelta(days=7)


def open_dispute(session_id: str, *, now: datetime) -> SandboxDispute | None:
    """Dispute what is left of a paid session; return None if nothing is left."""
    with transaction.atomic():
        session = SandboxSession.objects.select_for_update().get(session_id=session_id)
        amount = refunds.left(session, now)
        return schedule(session, amount, at=now) if amount > 0 else None


def schedule(session: SandboxSession, amount: int, *, at: datetime) -> SandboxDispute:
    """Write down that `amount` minor units of a session are disputed at that time; return the dispute."""
    dispute = SandboxDispute.objects.create(
        session=session, amount=amount, reason="fraudulent", created_at=at, answer_by=at + ANSWER_WITHIN
    )
    _tell(dispute, Status.OPEN, at=at)
    return dispute


def decide(dispute_id: str, status: SandboxDispute.Status, *, at: datetime, now: datetime) -> bool:
    """Let the seller win or lose an open dispute at a time, now or later; return False if it is decided already."""
    with transaction.atomic():
        dispute = SandboxDispute.objects.select_for_update().get(dispute_id=dispute_id)
        if dispute.status_at(now) is not Status.OPEN:
            return False
        if dispute.settles_at:
            webhooks.withdraw(dispute.dispute_id, after=now)
        dispute.settles_as, dispute.settles_at = status, at
        dispute.save(update_fields=["settles_as", "settles_at"])
        _tell(dispute, status, at=at)
    return True


def _tell(dispute: SandboxDispute, status: SandboxDispute.Status, *, at: datetime) -> None:
    webhooks.schedule(dispute.session, f"dispute.{status}", dispute.dispute_id, at=at)
