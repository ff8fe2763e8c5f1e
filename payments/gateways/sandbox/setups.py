"""Saving a card without a payment at the sandbox: a session that takes no money."""

from datetime import datetime

from django.conf import settings

from payments.gateways.methods import Method, SetupRequest, SetupSnapshot, SetupState
from payments.gateways.sandbox.models import SandboxMethod, SandboxSession
from payments.gateways.sessions import Session

Status = SandboxSession.Status
STATES = {
    Status.SUCCEEDED: SetupState.SAVED,
    Status.FAILED: SetupState.ENDED,
    Status.CANCELLED: SetupState.ENDED,
    Status.EXPIRED: SetupState.ENDED,
}


def create(request: SetupRequest, *, now: datetime) -> Session:
    """Open the page; the same key returns the same page."""
    session, _ = SandboxSession.objects.get_or_create(
        idempotency_key=request.idempotency_key,
        defaults={
            "is_setup": True, "amount": 0, "currency": request.currency, "description": "", "save_method": True,
            "return_url": request.return_url, "cancel_url": request.return_url, "language": request.language,
            "customer": request.customer, "created_at": now, "expires_at": request.expires_at,
        },
    )  # fmt: skip
    url = f"{settings.SITE_URL}/sandbox/pay/{session.session_id}/"
    return Session(gateway_id=session.session_id, confirmation_url=url, expires_at=session.expires_at)


def find(gateway_id: str) -> SandboxSession | None:
    """Return the session of a setup, None for an unknown id and for a payment's."""
    return SandboxSession.objects.filter(session_id=gateway_id, is_setup=True).select_related("method").first()


def snapshot(session: SandboxSession, *, now: datetime) -> SetupSnapshot:
    """Return how a setup stands."""
    state = STATES.get(session.status_at(now), SetupState.OPEN)
    method = describe(session.method) if state is SetupState.SAVED else None
    return SetupSnapshot(gateway_id=session.session_id, state=state, method=method)


def describe(method: SandboxMethod) -> Method:
    """Return a kept card as the gateway protocol has it."""
    return Method(
        gateway_id=method.method_id,
        brand=method.brand,
        last4=method.last4,
        expires_on=method.expires_on,
        owner=method.owner,
        is_kept=method.is_kept,
    )
