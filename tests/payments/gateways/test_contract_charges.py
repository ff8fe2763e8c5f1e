"""What every gateway promises about charges of saved methods while the customer is away.

The fixtures are those of the contract test: each gateway in turn, the visitor who plays the customer and the bank.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from core.ids import new_id
from payments.gateways import registry
from payments.gateways.aftermath import RefundState
from payments.gateways.base import Gateway
from payments.gateways.charges import METHOD_GONE, ChargeRequest, Decline
from payments.gateways.errors import GatewayError
from payments.gateways.methods import Method
from payments.gateways.sessions import SessionRequest, State
from tests.payments.gateways.conftest import CLASSES
from tests.payments.gateways.requests import charge_of, refund_of, session_request
from tests.payments.gateways.visitors import visitor as visitors
from tests.payments.gateways.visitors.visitor import Visitor

pytestmark = pytest.mark.django_db(transaction=True)


# The gateways that charge saved methods. A new one belongs here.
CHARGING = ("sandbox", "stripe", "yookassa")


@pytest.fixture(params=CHARGING)
def name(request: pytest.FixtureRequest, settings: Any) -> str:
    settings.GATEWAY_CLASSES, settings.PAYMENT_GATEWAYS = CLASSES, [request.param]
    return str(request.param)


@pytest.fixture
def method(gateway: Gateway, visitor: Visitor, asked: SessionRequest) -> Method:
    """A method that the gateway keeps."""
    gateway_id = gateway.create_session(replace(asked, save_method=True)).gateway_id
    visitor.pay(gateway_id)
    kept = gateway.fetch(gateway_id).method
    assert kept is not None
    return kept


@pytest.mark.parametrize("other", sorted(CLASSES.keys() - set(CHARGING)))
def test_a_gateway_that_cannot_charge_refuses(other: str, settings: Any) -> None:
    settings.GATEWAY_CLASSES = CLASSES
    request = charge_of(Method(gateway_id="none_such"), session_request())
    with visitors.visit(other, settings):
        gateway = registry.get(other)
        assert not gateway.can.charges_off_session
        for call in (gateway.charge, gateway.find_charge):
            with pytest.raises(GatewayError) as refusal:
                call(request)
            assert refusal.value.permanent


def test_these_gateways_say_that_they_charge(gateway: Gateway) -> None:
    assert (gateway.can.charges_off_session, gateway.can.saves_methods) == (True, True)


def test_a_charge_takes_the_money_once_per_key(gateway: Gateway, method: Method, asked: SessionRequest) -> None:
    request = charge_of(method, asked)
    taken = gateway.charge(request)
    assert (taken.state, taken.amount, taken.currency) == (State.SUCCEEDED, asked.amount, asked.currency)
    assert (taken.idempotency_key, taken.decline, taken.action_url) == (request.idempotency_key, None, "")
    assert gateway.charge(request).gateway_id == taken.gateway_id
    assert gateway.fetch(taken.gateway_id) == replace(taken, method=gateway.fetch(taken.gateway_id).method)
    assert gateway.charge(replace(request, idempotency_key=new_id("pay"))).gateway_id != taken.gateway_id


def test_a_charge_is_a_payment_like_any_other(
    gateway: Gateway, visitor: Visitor, method: Method, asked: SessionRequest
) -> None:
    taken = gateway.charge(charge_of(method, asked))
    assert gateway.cancel(taken.gateway_id).state is State.SUCCEEDED
    fee = gateway.fetch(taken.gateway_id).fee
    assert fee is not None
    assert 0 <= fee < asked.amount
    now = timezone.now()
    span = {"since": now - timedelta(minutes=5), "until": now + timedelta(minutes=5)}
    listed = [each for each in gateway.list_payments(**span) if each.gateway_id == taken.gateway_id]
    assert [(each.state, each.amount, each.idempotency_key) for each in listed] == [
        (State.SUCCEEDED, asked.amount, taken.idempotency_key)
    ]
    refund = gateway.refund(refund_of(taken.gateway_id, asked))
    assert (refund.amount, refund.payment) == (asked.amount, taken.gateway_id)
    visitor.settle_refund(refund.gateway_id, RefundState.SUCCEEDED)
    assert gateway.fetch_refund(refund.gateway_id).state is RefundState.SUCCEEDED


@pytest.mark.parametrize(("answer", "decline"), [("soft", Decline.SOFT), ("hard", Decline.HARD)])
def test_a_decline_is_an_answer_and_no_error(
    gateway: Gateway, visitor: Visitor, method: Method, asked: SessionRequest, answer: str, decline: Decline
) -> None:
    visitor.answer_charges(method.gateway_id, answer)
    declined = gateway.charge(charge_of(method, asked))
    assert (declined.state, declined.decline, declined.amount) == (State.FAILED, decline, None)
    assert declined.failure_code
    again = gateway.fetch(declined.gateway_id)
    assert (again.state, again.decline, again.failure_code) == (State.FAILED, decline, declined.failure_code)
    visitor.answer_charges(method.gateway_id, "succeeds")
    assert gateway.charge(charge_of(method, asked)).state is State.SUCCEEDED


def test_a_charge_that_the_customer_must_confirm(
    gateway: Gateway, visitor: Visitor, method: Method, asked: SessionRequest
) -> None:
    visitor.answer_charges(method.gateway_id, "asks")
    waiting = gateway.charge(charge_of(method, asked))
    if not visitor.has_bank_page:
        assert (waiting.state, waiting.decline) == (State.FAILED, Decline.AUTHENTICATION)
        return
    assert (waiting.state, waiting.amount) == (State.REQUIRES_ACTION, None)
    assert waiting.action_url.startswith(("http://", "https://"))
    assert gateway.fetch(waiting.gateway_id).action_url == waiting.action_url
    visitor.approve(waiting.gateway_id)
    taken = gateway.fetch(waiting.gateway_id)
    assert (taken.state, taken.amount, taken.action_url) == (State.SUCCEEDED, asked.amount, "")


def test_a_charge_that_waits_for_the_customer_can_be_cancelled(
    gateway: Gateway, visitor: Visitor, method: Method, asked: SessionRequest
) -> None:
    if not visitor.has_bank_page:
        return
    visitor.answer_charges(method.gateway_id, "asks")
    waiting = gateway.charge(charge_of(method, asked))
    assert gateway.cancel(waiting.gateway_id).state is State.CANCELLED
    assert gateway.fetch(waiting.gateway_id).state is State.CANCELLED


def test_a_method_that_is_gone_is_not_charged(
    gateway: Gateway, visitor: Visitor, method: Method, asked: SessionRequest
) -> None:
    visitor.forget_method(method.gateway_id)
    request = charge_of(method, asked)
    # Some gateways refuse the request, others make a payment and decline it.
    assert outcome(gateway, request) in ("refused", Decline.HARD)
    made = gateway.find_charge(request)
    assert made is None or made.state is State.FAILED


def outcome(gateway: Gateway, request: ChargeRequest) -> str:
    """Return how a charge is declined; `refused` if the gateway says that it does not keep the method."""
    try:
        return str(gateway.charge(request).decline)
    except GatewayError as error:
        return "refused" if error.permanent and error.code == METHOD_GONE else error.detail


def test_a_method_that_never_was_is_not_charged(gateway: Gateway, method: Method, asked: SessionRequest) -> None:
    with pytest.raises(GatewayError) as refusal:
        gateway.charge(charge_of(replace(method, gateway_id="none_such"), asked))
    assert (refusal.value.permanent, refusal.value.code) == (True, METHOD_GONE)


def test_a_charge_is_found_by_its_own_key(gateway: Gateway, method: Method, asked: SessionRequest) -> None:
    request = charge_of(method, asked)
    assert gateway.find_charge(request) is None
    made = gateway.charge(request)
    found = gateway.find_charge(request)
    assert found is not None
    assert (found.gateway_id, found.state, found.amount) == (made.gateway_id, State.SUCCEEDED, asked.amount)
    # A charge of the same amount for another reason is not it.
    assert gateway.find_charge(replace(request, idempotency_key=new_id("pay"))) is None


def test_an_amount_that_it_does_not_take_is_not_charged(
    gateway: Gateway, method: Method, asked: SessionRequest
) -> None:
    _least, most = gateway.can.currencies[asked.currency]
    with pytest.raises(GatewayError) as refusal:
        gateway.charge(charge_of(method, asked, amount=most + 1))
    assert refusal.value.permanent
