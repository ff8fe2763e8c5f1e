"""Saving a card without a payment: `POST /v3/payment_methods`."""

import json
from typing import Any

import pytest

from billing_site.local.fakes.faults import Fault
from billing_site.local.fakes.yookassa.api import FakeYooKassa
from payments.gateways.errors import GatewayError
from payments.gateways.methods import SetupState
from payments.gateways.yookassa import setups
from payments.gateways.yookassa.gateway import YooKassa
from tests.payments.gateways.requests import setup_request

CREATION = "/v3/payment_methods"


@pytest.fixture(autouse=True)
def _shop_keeps_methods(settings: Any) -> None:
    settings.YOOKASSA_SAVES_METHODS = True


def test_the_request_is_the_documented_one(gateway: YooKassa, fake: FakeYooKassa) -> None:
    request = setup_request()
    session = gateway.create_setup(request)
    [sent] = fake.requests
    assert (sent.method, sent.path) == ("POST", CREATION)
    assert json.loads(sent.body) == {
        "type": "bank_card", "confirmation": {"type": "redirect", "return_url": request.return_url},
    }  # fmt: skip
    assert sent.headers["idempotence-key"] == request.idempotency_key
    assert session.confirmation_url == f"{fake.url}/page/{session.gateway_id}"
    assert session.expires_at == request.expires_at


def test_its_id_is_that_of_the_method(gateway: YooKassa, fake: FakeYooKassa) -> None:
    gateway_id = gateway.create_setup(setup_request()).gateway_id
    fake.save_method(gateway_id)
    method = gateway.fetch_setup(gateway_id).method
    assert method is not None
    assert (method.gateway_id, method.brand, method.last4, method.owner) == (gateway_id, "MIR", "0004", "")
    assert fake.webhooks.deliveries[-1].body.startswith(b'{"type": "notification", "event": "payment_method.active"')


def test_a_shop_that_may_not_keep_methods_is_refused(gateway: YooKassa, fake: FakeYooKassa, settings: Any) -> None:
    fake.shop.saves_methods = False
    with pytest.raises(GatewayError) as refusal:
        gateway.create_setup(setup_request())
    assert (refusal.value.permanent, refusal.value.code) == (True, "forbidden")
    settings.YOOKASSA_SAVES_METHODS = False
    assert not gateway.can.adds_methods
    with pytest.raises(GatewayError) as refusal:
        gateway.create_setup(setup_request())
    assert refusal.value.permanent


def test_a_lost_answer_is_followed_by_the_same_page(gateway: YooKassa, fake: FakeYooKassa) -> None:
    request = setup_request()
    fake.fault(Fault.RESET_AFTER, path=CREATION)
    with pytest.raises(GatewayError) as lost:
        gateway.create_setup(request)
    assert not lost.value.permanent
    assert list(fake.shop.methods) == [gateway.create_setup(request).gateway_id]


def test_a_page_that_was_confirmed_meanwhile_leads_to_ours(gateway: YooKassa) -> None:
    request = setup_request()
    found = {"id": "pm_1", "type": "bank_card", "saved": True, "status": "active", "card": {"last4": "0004"}}
    assert setups.page(found, request).confirmation_url == request.return_url


@pytest.mark.parametrize(
    ("found", "state"),
    [
        ({"status": "pending"}, SetupState.OPEN),
        ({"status": "active", "saved": True}, SetupState.SAVED),
        # It says both: not to be charged.
        ({"status": "active", "saved": False}, SetupState.ENDED),
        ({"status": "inactive"}, SetupState.ENDED),
        ({"status": "something_new", "saved": True}, SetupState.OPEN),
        ({}, SetupState.OPEN),
    ],
)
def test_what_the_status_means(found: dict[str, Any], state: SetupState) -> None:
    snapshot = setups.of_method({"id": "pm_1", "type": "bank_card"} | found)
    assert snapshot.state is state
    assert (snapshot.method is not None) == (state is SetupState.SAVED)


@pytest.mark.parametrize("found", [{}, {"id": ""}, {"id": "pm_1", "status": "pending"}])
def test_an_answer_that_makes_no_sense_is_not_permanent(found: dict[str, Any]) -> None:
    with pytest.raises(GatewayError) as error:
        setups.page(found, setup_request())
    assert not error.value.permanent
