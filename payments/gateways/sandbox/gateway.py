"""The sandbox gateway: it implements the gateway protocol over tables of its own in our database."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone

from ledger.money import EXPONENTS, LARGEST, Money
from payments.gateways.aftermath import (
    DisputeSnapshot,
    DisputeState,
    PayoutSnapshot,
    RefundRequest,
    RefundSnapshot,
    RefundState,
)
from payments.gateways.base import Capabilities, Notification, Subject
from payments.gateways.charges import METHOD_GONE, ChargeRequest
from payments.gateways.errors import BadWebhook, GatewayError
from payments.gateways.methods import Method, SetupRequest, SetupSnapshot
from payments.gateways.sandbox import charges, methods, outcomes, payouts, refunds, sessions, setups, webhooks
from payments.gateways.sandbox.models import SandboxDispute, SandboxMethod, SandboxRefund, SandboxSession
from payments.gateways.sandbox.sessions import LONGEST_PAGE
from payments.gateways.sessions import Session, SessionRequest, Snapshot, State

# What the first word of a webhook's type is about.
SUBJECTS = {
    "session": Subject.PAYMENT,
    "refund": Subject.REFUND,
    "dispute": Subject.DISPUTE,
    "method": Subject.METHOD,
    "setup": Subject.SETUP,
    "payout": Subject.PAYOUT,
}


class Sandbox:
    """Implements payments.gateways.base.Gateway. Takes no real money; a system check refuses it next to live keys."""

    name = "sandbox"

    @property
    def can(self) -> Capabilities:
        return Capabilities(
            currencies={currency: settings.TOP_UP_LIMITS.get(currency, (1, LARGEST)) for currency in EXPONENTS},
            longest_page=LONGEST_PAGE,
            saves_methods=True,
            adds_methods=True,
            charges_off_session=True,
        )

    def is_configured(self) -> bool:
        return bool(webhooks.secrets())

    def problems(self) -> list[str]:
        return webhooks.problems()

    def create_session(self, request: SessionRequest) -> Session:
        if not self.can.takes(request.currency, request.amount):
            raise GatewayError("This amount is not taken.", permanent=True, code="amount_not_taken")
        session, _ = SandboxSession.objects.get_or_create(
            idempotency_key=request.idempotency_key,
            defaults={
                "amount": request.amount,
                "currency": request.currency,
                "description": request.description,
                "return_url": request.return_url,
                "cancel_url": request.cancel_url,
                "language": request.language,
                "customer": request.customer,
                "save_method": request.save_method,
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

    def charge(self, request: ChargeRequest) -> Snapshot:
        if not self.can.takes(request.currency, request.amount):
            raise GatewayError("This amount is not taken.", permanent=True, code="amount_not_taken")
        try:
            session = charges.charge(request, now=_now())
        except charges.NotKept as error:
            raise GatewayError(str(error), permanent=True, code=METHOD_GONE) from error
        return _snapshot(_answering(session), now=_now())

    def find_charge(self, request: ChargeRequest) -> Snapshot | None:
        session = charges.find(request.idempotency_key)
        return _snapshot(_answering(session), now=_now()) if session else None

    def refund(self, request: RefundRequest) -> RefundSnapshot:
        now, session = _now(), _find(request.gateway_id)
        money = Money(request.amount, request.currency)
        try:
            refund, is_new = refunds.issue(session, money, key=request.idempotency_key, now=now)
        except refunds.NotRefundable as error:
            raise GatewayError(str(error), permanent=True, code=error.code) from error
        if is_new and outcomes.refund_course(session.outcome) is outcomes.RefundCourse.NO_ANSWER:
            raise _timeout()
        return _refund_snapshot(refund, now=now)

    def find_refund(self, request: RefundRequest) -> RefundSnapshot | None:
        refund = _find(request.gateway_id).refunds.filter(idempotency_key=request.idempotency_key).first()
        return _refund_snapshot(refund, now=_now()) if refund else None

    def fetch_refund(self, gateway_id: str) -> RefundSnapshot:
        refund = SandboxRefund.objects.filter(refund_id=gateway_id).select_related("session").first()
        if refund is None:
            raise _unknown(gateway_id)
        _answering(refund.session)
        return _refund_snapshot(refund, now=_now())

    def fetch_dispute(self, gateway_id: str) -> DisputeSnapshot:
        now = _now()
        rows = SandboxDispute.objects.filter(dispute_id=gateway_id, created_at__lte=now).select_related("session")
        dispute = rows.first()
        if dispute is None:
            raise _unknown(gateway_id)
        _answering(dispute.session)
        return _dispute_snapshot(dispute, now=now)

    def fetch_method(self, gateway_id: str) -> Method:
        return setups.describe(_find_method(gateway_id))

    def create_setup(self, request: SetupRequest) -> Session:
        return setups.create(request, now=_now())

    def fetch_setup(self, gateway_id: str) -> SetupSnapshot:
        session = setups.find(gateway_id)
        if session is None:
            raise _unknown(gateway_id)
        return setups.snapshot(_answering(session), now=_now())

    def remove_method(self, gateway_id: str) -> None:
        methods.forget(_find_method(gateway_id).method_id, now=_now())

    def fetch_payout(self, gateway_id: str) -> PayoutSnapshot | None:
        found = payouts.find(gateway_id, now=_now())
        if found is None:
            raise _unknown(gateway_id)
        return _payout_snapshot(found)

    def list_payments(self, *, since: datetime, until: datetime) -> Iterator[Snapshot]:
        now = _now()
        rows = SandboxSession.objects.filter(created_at__gte=since, created_at__lt=until, is_setup=False)
        for session in rows.select_related("method").order_by("created_at", "pk").iterator(chunk_size=500):
            yield _snapshot(session, now=now)

    def list_refunds(self, *, since: datetime, until: datetime) -> Iterator[RefundSnapshot]:
        now = _now()
        rows = SandboxRefund.objects.filter(created_at__gte=since, created_at__lt=until).select_related("session")
        for refund in rows.order_by("created_at", "pk").iterator(chunk_size=500):
            yield _refund_snapshot(refund, now=now)

    def list_disputes(self, *, since: datetime, until: datetime) -> Iterator[DisputeSnapshot]:
        now = _now()
        rows = SandboxDispute.objects.filter(created_at__gte=since, created_at__lt=min(until, now))
        for dispute in rows.select_related("session").order_by("created_at", "pk").iterator(chunk_size=500):
            yield _dispute_snapshot(dispute, now=now)

    def list_payouts(self, *, since: datetime, until: datetime) -> Iterator[PayoutSnapshot]:
        for payout in payouts.between(since, min(until, _now())):
            yield _payout_snapshot(payout)

    def parse_webhook(self, body: bytes, headers: Mapping[str, str], *, address: str) -> Notification:
        event_id = webhooks.verify(body, headers)
        try:
            payload: dict[str, Any] = json.loads(body)
            kind = str(payload["type"])
            named = kind.partition(".")[0]
            subject = SUBJECTS.get(named)
            gateway_id = str(payload[named]) if subject else ""
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise BadWebhook("The signature is valid, but the body is not readable.") from error
        return Notification(event_id=event_id, type=kind, subject=subject, gateway_id=gateway_id, payload=payload)


def _find(gateway_id: str) -> SandboxSession:
    """Return a session; raise a GatewayError if it does not exist or simulates a time-out."""
    session = SandboxSession.objects.filter(session_id=gateway_id, is_setup=False).select_related("method").first()
    if session is None:
        raise _unknown(gateway_id)
    return _answering(session)


def _answering(session: SandboxSession) -> SandboxSession:
    """Return the session; raise a GatewayError while it simulates a time-out."""
    if session.unreachable_until and _now() < session.unreachable_until:
        raise _timeout()
    return session


def _snapshot(session: SandboxSession, *, now: datetime) -> Snapshot:
    taken = session.taken_at(now)
    method = getattr(session, "method", None)
    state = State(session.status_at(now))
    asks = state is State.REQUIRES_ACTION
    return Snapshot(
        gateway_id=session.session_id,
        state=state,
        amount=taken.amount if taken else None,
        currency=taken.currency if taken else None,
        failure_code=session.failure_code,
        decline=charges.decline_of(session) if session.charged_id else None,
        action_url=f"{settings.SITE_URL}/sandbox/pay/{session.session_id}/bank/" if asks else "",
        fee=session.fee_at(now),
        fee_currency=taken.currency if taken else "",
        method=setups.describe(method) if taken and method else None,
        idempotency_key=session.idempotency_key,
        created_at=session.created_at,
    )


def _refund_snapshot(refund: SandboxRefund, *, now: datetime) -> RefundSnapshot:
    state = RefundState(refund.status_at(now))
    return RefundSnapshot(
        gateway_id=refund.refund_id,
        state=state,
        failure_code="card_closed" if state is RefundState.FAILED else "",
        amount=refund.amount,
        currency=refund.session.currency_taken,
        payment=refund.session.session_id,
        idempotency_key=refund.idempotency_key,
        created_at=refund.created_at,
    )


def _dispute_snapshot(dispute: SandboxDispute, *, now: datetime) -> DisputeSnapshot:
    session = dispute.session
    return DisputeSnapshot(
        gateway_id=dispute.dispute_id,
        payment=session.session_id,
        state=DisputeState(dispute.status_at(now)),
        amount=dispute.amount,
        currency=session.currency_received or session.currency,
        reason=dispute.reason,
        answer_by=dispute.answer_by,
        created_at=dispute.created_at,
    )


def _payout_snapshot(payout: payouts.Payout) -> PayoutSnapshot:
    return PayoutSnapshot(
        gateway_id=payout.payout_id,
        amount=payout.money.amount,
        currency=payout.money.currency,
        arrived_at=payout.arrived_at,
    )


def _find_method(gateway_id: str) -> SandboxMethod:
    """Return a card; raise a GatewayError if it does not exist or its session simulates a time-out."""
    method = SandboxMethod.objects.filter(method_id=gateway_id).select_related("session").first()
    if method is None:
        raise _unknown(gateway_id)
    _answering(method.session)
    return method


def _unknown(gateway_id: str) -> GatewayError:
    return GatewayError(f"There is no {gateway_id}.", permanent=True, code="not_found")


def _timeout() -> GatewayError:
    return GatewayError("The sandbox did not answer in time.", permanent=False, code="timeout")


def _now() -> datetime:
    """Return the time by the sandbox's own clock."""
    return timezone.now()  # noqa: TID251
