"""Charges of kept cards at the sandbox: made once per key, answered as the tester has picked for the card."""

from datetime import datetime

from django.db import transaction

from payments.gateways.charges import ChargeRequest, Decline
from payments.gateways.sandbox import outcomes, sessions
from payments.gateways.sandbox.models import SandboxMethod, SandboxSession
from payments.gateways.sandbox.sessions import LONGEST_PAGE, Status

# What failure codes mean. Any other may pass.
DECLINES = {
    "stolen_card": Decline.HARD,
    "expired_card": Decline.HARD,
    "authentication_failed": Decline.AUTHENTICATION,
}


class NotKept(Exception):
    """The card is not kept any more, or never was."""


def charge(request: ChargeRequest, *, now: datetime) -> SandboxSession:
    """Charge a kept card and return the session; the same key again changes nothing. Raises NotKept."""
    with transaction.atomic():
        method = SandboxMethod.objects.select_for_update().filter(method_id=request.method, is_kept=True).first()
        if method is None:
            raise NotKept(f"The card {request.method} is not kept.")
        session, is_new = SandboxSession.objects.get_or_create(
            idempotency_key=request.idempotency_key,
            defaults={
                "amount": request.amount, "currency": request.currency, "description": request.description,
                "return_url": request.return_url, "cancel_url": request.return_url, "customer": request.customer,
                "charged": method, "created_at": now, "expires_at": now + LONGEST_PAGE,
            },
        )  # fmt: skip
        if not is_new:
            return session
        chosen = sessions.choose(session.session_id, outcomes.CHARGES[method.answer], expected=Status.OPEN, now=now)
    assert chosen is not None
    return chosen


def find(key: str) -> SandboxSession | None:
    """Return the session of the charge with this key, None if there is none."""
    return SandboxSession.objects.filter(idempotency_key=key, charged__isnull=False).first()


def decline_of(session: SandboxSession) -> Decline | None:
    """Return what the failure of a charge means, None if it has not failed."""
    return DECLINES.get(session.failure_code, Decline.SOFT) if session.failure_code else None
