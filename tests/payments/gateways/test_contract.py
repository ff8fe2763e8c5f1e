"""The contract that every gateway must fulfil, run against each in settings.GATEWAY_CLASSES.

A new gateway adds a visitor to VISITORS and no test.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from payments.gateways import registry
from payments.gateways.base import BadWebhook, Gateway, GatewayError, RefundRequest, RefundState, SessionRequest, State
from payments.gateways.sandbox import outcomes, sessions

pytestmark = pytest.mark.django_db


class SandboxVisitor:
    """A customer on the sandbox's page."""

    def choose(self, gateway_id: str, outcome: str) -> None:
        chosen = outcomes.ON_THE_PAGE[outcome]
        assert sessions.choose(gateway_id, chosen, expected=sessions.Status.OPEN, now=timezone.now())

    def pay(self, gateway_id: str) -> None:
        self.choose(gateway_id, "succeeds")

    def be_declined(self, gateway_id: str) -> None:
        self.choose(gateway_id, "insufficient_funds")


VISITORS = {"sandbox": SandboxVisitor()}


@pytest.fixture(params=sorted(settings.GATEWAY_CLASSES))
def gateway(request: pytest.FixtureRequest, settings: Any) -> Gateway:
    settings.PAYMENT_GATEWAYS = [request.param]
    return registry.get(request.param)


@pytest.fixture
def visitor(gateway: Gateway) -> SandboxVisitor:
    return VISITORS[gateway.name]


@pytest.fixture
def session_request() -> SessionRequest:
    return SessionRequest(
        idempotency_key="pay_contract_1",
        amount=1342_00,
        currency="RUB",
        description="Contract",
        return_url="https://shop.example/pay/1/",
        cancel_url="https://shop.example/pay/1/",
        expires_at=timezone.now() + timedelta(minutes=30),
        language="en",
    )


def test_its_settings_are_complete(gateway: Gateway) -> None:
    assert gateway.problems() == []


def test_a_new_page_is_open_and_nothing_is_taken(gateway: Gateway, session_request: SessionRequest) -> None:
    session = gateway.create_session(session_request)
    snapshot = gateway.fetch(session.gateway_id)
    assert (snapshot.gateway_id, snapshot.state) == (session.gateway_id, State.OPEN)
    assert (snapshot.amount, snapshot.currency) == (None, None)
    assert session.confirmation_url.startswith(("http://", "https://"))


def test_the_same_key_gives_the_same_page(gateway: Gateway, session_request: SessionRequest) -> None:
    assert gateway.create_session(session_request) == gateway.create_session(session_request)


def test_a_key_reused_for_another_amount_is_a_permanent_error(
    gateway: Gateway, session_request: SessionRequest
) -> None:
    gateway.create_session(session_request)
    with pytest.raises(GatewayError) as caught:
        gateway.create_session(replace(session_request, amount=1))
    assert caught.value.permanent


def test_a_paid_snapshot_has_the_amount_taken(
    gateway: Gateway, session_request: SessionRequest, visitor: SandboxVisitor
) -> None:
    session = gateway.create_session(session_request)
    visitor.pay(session.gateway_id)
    snapshot = gateway.fetch(session.gateway_id)
    assert (snapshot.state, snapshot.amount, snapshot.currency) == (State.SUCCEEDED, 1342_00, "RUB")


def test_a_declined_snapshot_has_the_failure_code(
    gateway: Gateway, session_request: SessionRequest, visitor: SandboxVisitor
) -> None:
    session = gateway.create_session(session_request)
    visitor.be_declined(session.gateway_id)
    snapshot = gateway.fetch(session.gateway_id)
    assert (snapshot.state, snapshot.failure_code) == (State.FAILED, "insufficient_funds")


def test_cancelling_again_still_returns_cancelled(gateway: Gateway, session_request: SessionRequest) -> None:
    session = gateway.create_session(session_request)
    assert gateway.cancel(session.gateway_id).state is State.CANCELLED
    assert gateway.cancel(session.gateway_id).state is State.CANCELLED
    assert gateway.fetch(session.gateway_id).state is State.CANCELLED


def test_cancelling_a_paid_payment_returns_succeeded(
    gateway: Gateway, session_request: SessionRequest, visitor: SandboxVisitor
) -> None:
    session = gateway.create_session(session_request)
    visitor.pay(session.gateway_id)
    assert gateway.cancel(session.gateway_id).state is State.SUCCEEDED


def test_an_unknown_id_is_a_permanent_error(gateway: Gateway) -> None:
    for call in (gateway.fetch, gateway.cancel):
        with pytest.raises(GatewayError) as caught:
            call("none_such")
        assert caught.value.permanent


def test_refunds_happen_once_per_key_and_never_exceed_the_payment(
    gateway: Gateway, session_request: SessionRequest, visitor: SandboxVisitor
) -> None:
    session = gateway.create_session(session_request)
    visitor.pay(session.gateway_id)
    refund_request = RefundRequest(
        idempotency_key="ref_1", gateway_id=session.gateway_id, amount=1000_00, currency="RUB"
    )
    first = gateway.refund(refund_request)
    assert first.state is RefundState.SUCCEEDED
    assert gateway.refund(refund_request) == first
    # 1000.00 of 1342.00 are refunded; 342.01 would be a kopeck too much.
    with pytest.raises(GatewayError) as caught:
        gateway.refund(replace(refund_request, idempotency_key="ref_2", amount=342_01))
    assert caught.value.permanent
    assert (
        gateway.refund(replace(refund_request, idempotency_key="ref_3", amount=342_00)).state is RefundState.SUCCEEDED
    )


def test_an_unpaid_payment_is_not_refunded(gateway: Gateway, session_request: SessionRequest) -> None:
    session = gateway.create_session(session_request)
    with pytest.raises(GatewayError):
        gateway.refund(RefundRequest(idempotency_key="ref_1", gateway_id=session.gateway_id, amount=1, currency="RUB"))


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer x"}])
def test_an_unsigned_webhook_is_refused(gateway: Gateway, headers: dict[str, str]) -> None:
    with pytest.raises(BadWebhook):
        gateway.parse_webhook(b"{}", headers, address="127.0.0.1")
