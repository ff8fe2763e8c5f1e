"""What every gateway must keep, asked of each one the site can have. A new gateway adds a `Visitor`, no test."""

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
    """Pays, or fails to, on the sandbox's page."""

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
def asked() -> SessionRequest:
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


def test_its_settings_are_whole(gateway: Gateway) -> None:
    assert gateway.problems() == []


def test_a_new_page_is_open_and_nothing_was_taken(gateway: Gateway, asked: SessionRequest) -> None:
    session = gateway.create_session(asked)
    snapshot = gateway.fetch(session.gateway_id)
    assert (snapshot.gateway_id, snapshot.state) == (session.gateway_id, State.OPEN)
    assert (snapshot.amount, snapshot.currency) == (None, None)
    assert session.confirmation_url.startswith(("http://", "https://"))


def test_the_same_key_gives_the_same_page(gateway: Gateway, asked: SessionRequest) -> None:
    assert gateway.create_session(asked) == gateway.create_session(asked)


def test_a_key_used_for_another_amount_is_refused_for_good(gateway: Gateway, asked: SessionRequest) -> None:
    gateway.create_session(asked)
    with pytest.raises(GatewayError) as caught:
        gateway.create_session(replace(asked, amount=1))
    assert caught.value.permanent


def test_paid_says_what_was_really_taken(gateway: Gateway, asked: SessionRequest, visitor: SandboxVisitor) -> None:
    session = gateway.create_session(asked)
    visitor.pay(session.gateway_id)
    snapshot = gateway.fetch(session.gateway_id)
    assert (snapshot.state, snapshot.amount, snapshot.currency) == (State.SUCCEEDED, 1342_00, "RUB")


def test_declined_says_why(gateway: Gateway, asked: SessionRequest, visitor: SandboxVisitor) -> None:
    session = gateway.create_session(asked)
    visitor.be_declined(session.gateway_id)
    snapshot = gateway.fetch(session.gateway_id)
    assert (snapshot.state, snapshot.failure_code) == (State.FAILED, "insufficient_funds")


def test_cancelled_cannot_be_paid_and_says_so_again(gateway: Gateway, asked: SessionRequest) -> None:
    session = gateway.create_session(asked)
    assert gateway.cancel(session.gateway_id).state is State.CANCELLED
    assert gateway.cancel(session.gateway_id).state is State.CANCELLED
    assert gateway.fetch(session.gateway_id).state is State.CANCELLED


def test_cancelling_what_was_paid_tells_that_it_was(
    gateway: Gateway, asked: SessionRequest, visitor: SandboxVisitor
) -> None:
    session = gateway.create_session(asked)
    visitor.pay(session.gateway_id)
    assert gateway.cancel(session.gateway_id).state is State.SUCCEEDED


def test_an_id_it_does_not_know_is_a_permanent_error(gateway: Gateway) -> None:
    for call in (gateway.fetch, gateway.cancel):
        with pytest.raises(GatewayError) as caught:
            call("none_such")
        assert caught.value.permanent


def test_refunds_are_made_once_per_key_and_never_exceed_what_was_taken(
    gateway: Gateway, asked: SessionRequest, visitor: SandboxVisitor
) -> None:
    session = gateway.create_session(asked)
    visitor.pay(session.gateway_id)
    wanted = RefundRequest(idempotency_key="ref_1", gateway_id=session.gateway_id, amount=1000_00, currency="RUB")
    first = gateway.refund(wanted)
    assert first.state is RefundState.SUCCEEDED
    assert gateway.refund(wanted) == first
    # 1000.00 of 1342.00 are given back; 342.01 would be a kopeck too much.
    with pytest.raises(GatewayError) as caught:
        gateway.refund(replace(wanted, idempotency_key="ref_2", amount=342_01))
    assert caught.value.permanent
    assert gateway.refund(replace(wanted, idempotency_key="ref_3", amount=342_00)).state is RefundState.SUCCEEDED


def test_what_was_not_paid_is_not_refunded(gateway: Gateway, asked: SessionRequest) -> None:
    session = gateway.create_session(asked)
    with pytest.raises(GatewayError):
        gateway.refund(RefundRequest(idempotency_key="ref_1", gateway_id=session.gateway_id, amount=1, currency="RUB"))


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer x"}])
def test_an_unsigned_webhook_is_refused(gateway: Gateway, headers: dict[str, str]) -> None:
    with pytest.raises(BadWebhook):
        gateway.parse_webhook(b"{}", headers)
