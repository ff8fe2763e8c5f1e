"""The sandbox gateway: it implements the gateway protocol over tables of its own in our database."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from payments.gateways.base import (
    BadWebhook,
    GatewayError,
    Notification,
    RefundRequest,
    RefundSnapshot,
    RefundState,
    Session,
    SessionRequest,
    Snapshot,
    State,
)
from payments.gateways.sandbox import sessions, webhooks
from payments.gateways.sandbox.models import SandboxRefund, SandboxSession


class Sandbox:
    """Implements payments.gateways.base.Gateway. Takes no real money; a system check refuses it next to live keys."""

    name = "sandbox"

    def problems(self) -> list[str]:
        return webhooks.problems()

    def create_session(self, request: SessionRequest) -> Session:
        session, _ = SandboxSession.objects.get_or_create(
            idempotency_key=request.idempotency_key,
            defaults={
                "amount": request.amount,
                "currency": request.currency,
                "description": request.description,
                "return_url": request.return_url,
                "cancel_url": request.cancel_url,
                "language": request.language,
                "created_at": _now(),
                "expires_at": request.expires_at,
            },
        )
        if (session.amount, session.currency) != (request.amount, request.currency):
            raise GatewayError("This key was used for another amount.", permanent=True, code="idempotency_key_reused")
        return Session(
            gateway_id=session.session_id,
            confirmation_url=f"{settings.SITE_URL}/sandbox/pay/{session.session_id}/",
            expires_at=session.expires_at,
        )

    def fetch(self, gateway_id: str) -> Snapshot:
        return _snapshot(_find(gateway_id), now=_now())

    def cancel(self, gateway_id: str) -> Snapshot:
        now = _now()
        _find(gateway_id)
        return _snapshot(sessions.withdraw(gateway_id, now=now), now=now)

    def refund(self, request: RefundRequest) -> RefundSnapshot:
        session = _find(request.gateway_id)
        with transaction.atomic():
            SandboxSession.objects.select_for_update().get(pk=session.pk)
            refunded = session.refunds.exclude(idempotency_key=request.idempotency_key).aggregate(sum=Sum("amount"))
            if request.amount + (refunded["sum"] or 0) > (session.amount_received or 0):
                raise GatewayError("More than was taken.", permanent=True, code="refund_exceeds_payment")
            refund, _ = SandboxRefund.objects.get_or_create(
                idempotency_key=request.idempotency_key,
                defaults={"session": session, "amount": request.amount, "created_at": _now()},
            )
        return RefundSnapshot(gateway_id=refund.refund_id, state=RefundState.SUCCEEDED)

    def parse_webhook(self, body: bytes, headers: Mapping[str, str]) -> Notification:
        event_id = webhooks.verify(body, headers)
        try:
            payload: dict[str, Any] = json.loads(body)
            return Notification(
                event_id=event_id, type=str(payload["type"]), gateway_id=str(payload["session"]), payload=payload
            )
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise BadWebhook("The signature is valid, but the body is not readable.") from error


def _find(gateway_id: str) -> SandboxSession:
    """Return a session; raise a GatewayError if it does not exist or simulates a time-out."""
    session = SandboxSession.objects.filter(session_id=gateway_id).first()
    if session is None:
        raise GatewayError(f"There is no session {gateway_id}.", permanent=True, code="not_found")
    if session.unreachable_until and _now() < session.unreachable_until:
        raise GatewayError("The sandbox did not answer in time.", permanent=False, code="timeout")
    return session


def _snapshot(session: SandboxSession, *, now: datetime) -> Snapshot:
    state = State(sessions.status_at(session, now))
    paid = state is State.SUCCEEDED
    return Snapshot(
        gateway_id=session.session_id,
        state=state,
        amount=session.amount_received if paid else None,
        currency=session.currency if paid else None,
        failure_code=session.failure_code,
    )


def _now() -> datetime:
    """Return the time by the sandbox's own clock."""
    return timezone.now()  # noqa: TID251
