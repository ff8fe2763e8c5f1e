"""Checkout Sessions of mode `setup`, which save a card without a payment."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from billing_site.local.fakes.faults import Fault
from billing_site.local.fakes.stripe.api import FakeStripe
from payments.gateways.errors import GatewayError
from payments.gateways.methods import SetupState
from payments.gateways.stripe import setups
from payments.gateways.stripe.gateway import Stripe
from tests.payments.gateways.requests import setup_request

pytestmark = pytest.mark.django_db

CREATION = "/v1/checkout/sessions"


def test_the_session_takes_no_money_and_keeps_the_card_for_a_customer() -> None:
    request = setup_request(idempotency_key="set_1")
    params = setups.session_params(request, now=time.time())
    assert params == {
        "mode": "setup", "currency": "rub", "client_reference_id": "set_1", "success_url": request.return_url,
        "cancel_url": request.return_url, "expires_at": int(request.expires_at.timestamp()), "locale": "ru",
        "metadata": {"setup": "set_1", "customer": "cus_1"}, "customer_creation": "always",
        "setup_intent_data": {"metadata": {"setup": "set_1", "customer": "cus_1"}},
        "customer_email": "alice@example.com",
    }  # fmt: skip


def test_a_customer_of_before_is_used_again() -> None:
    params = setups.session_params(setup_request(owner="cus_9"), now=time.time())
    assert params["customer"] == "cus_9"
    assert {"customer_creation", "customer_email"} & params.keys() == set()


@pytest.mark.parametrize("changes", [{"owner": "cus_gone"}, {"email": "alice@intranet"}, {"email": ""}])
def test_a_customer_or_an_address_that_stripe_does_not_accept_stops_nobody(
    gateway: Stripe, fake: FakeStripe, changes: dict[str, Any]
) -> None:
    gateway_id = gateway.create_setup(setup_request(**changes)).gateway_id
    with fake.lock:
        fake.setups.save(gateway_id)
    saved = gateway.fetch_setup(gateway_id)
    assert saved.method is not None
    assert saved.method.owner.startswith("cus_")


def test_pages_that_save_cards_have_one_customer_at_stripe(gateway: Stripe, fake: FakeStripe) -> None:
    for number in range(2):
        gateway.create_setup(setup_request(idempotency_key=f"set_{number}"))
    [customer] = fake.account.all("customer")
    assert {each["customer"] for each in fake.account.all("checkout.session")} == {customer["id"]}


def test_the_card_belongs_to_stripes_customer(gateway: Stripe, fake: FakeStripe) -> None:
    gateway_id = gateway.create_setup(setup_request()).gateway_id
    with fake.lock:
        card = fake.setups.save(gateway_id)
    method = gateway.fetch_setup(gateway_id).method
    assert method is not None
    assert (method.gateway_id, method.brand, method.last4) == (card, "Visa", "4242")
    assert method.expires_on == datetime(2032, 2, 29, tzinfo=UTC)
    assert method.owner == fake.account.objects[card]["customer"]


def test_another_card_may_be_tried_after_a_refusal(gateway: Stripe, fake: FakeStripe) -> None:
    gateway_id = gateway.create_setup(setup_request()).gateway_id
    with fake.lock:
        fake.setups.refuse_card(gateway_id)
    assert gateway.fetch_setup(gateway_id).state is SetupState.OPEN
    with fake.lock:
        fake.setups.save(gateway_id)
    assert gateway.fetch_setup(gateway_id).state is SetupState.SAVED


def test_a_page_expires(gateway: Stripe, fake: FakeStripe) -> None:
    gateway_id = gateway.create_setup(setup_request()).gateway_id
    fake.advance(seconds=3601)
    assert gateway.fetch_setup(gateway_id).state is SetupState.ENDED


@pytest.mark.parametrize("fault", [Fault.RESET_AFTER, Fault.ERROR_AFTER, Fault.ERROR_SAVED])
def test_a_lost_answer_is_followed_by_the_same_page(gateway: Stripe, fake: FakeStripe, fault: Fault) -> None:
    request = setup_request()
    fake.fault(fault, path=CREATION)
    with pytest.raises(GatewayError) as lost:
        gateway.create_setup(request)
    assert not lost.value.permanent
    session = gateway.create_setup(request)
    [made] = fake.account.all("checkout.session")
    assert made["id"] == session.gateway_id


def test_a_repetition_that_must_end_later_is_followed_by_the_same_page(gateway: Stripe, fake: FakeStripe) -> None:
    """Stripe takes no page of less than 30 minutes, so the end counts from the call and the parameters differ."""
    request = setup_request(expires_at=datetime.now(UTC) + timedelta(minutes=1))
    first = gateway.create_setup(request)
    fake.forget_keys()
    fake.idempotency._answers[request.idempotency_key] = ("other parameters", None)
    assert gateway.create_setup(request).gateway_id == first.gateway_id


def test_an_open_page_with_a_word_that_nobody_knows_goes_on(gateway: Stripe, fake: FakeStripe) -> None:
    gateway_id = gateway.create_setup(setup_request()).gateway_id
    fake.fault(Fault.UNKNOWN_STATUS, path=gateway_id)
    assert gateway.fetch_setup(gateway_id).state is SetupState.OPEN
