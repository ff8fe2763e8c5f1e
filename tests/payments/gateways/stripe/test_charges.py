"""Charges of saved cards: the payment intents that Stripe gets, its declines, and the bank's page."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import requests

from billing_site.local.fakes.faults import Fault
from billing_site.local.fakes.stripe.api import FakeStripe
from core.ids import new_id
from payments.gateways.charges import METHOD_GONE, ChargeRequest, Decline
from payments.gateways.errors import GatewayError
from payments.gateways.sessions import State
from payments.gateways.stripe import declines, webhooks
from payments.gateways.stripe.gateway import Stripe

pytestmark = pytest.mark.django_db

Make = Callable[..., Any]


@pytest.fixture
def asked(fake: FakeStripe, gateway: Stripe, make: Make) -> ChargeRequest:
    """A request to charge a card, which Stripe keeps, with 19.99 euros."""
    session = gateway.create_session(make(save_method=True)).gateway_id
    fake.account.pay(session)
    method = gateway.fetch(session).method
    assert method is not None
    return ChargeRequest(
        idempotency_key=new_id("pay"), method=method.gateway_id, owner=method.owner, amount=1999, currency="EUR",
        description="Automatic payment", return_url="https://shop.example/pay/2/", customer="usr_1",
    )  # fmt: skip


def answers(fake: FakeStripe, asked: ChargeRequest, code: str) -> None:
    fake.charges.end_charges(method=asked.method, answer=code)


def test_an_intent_carries_our_ids_and_says_that_nobody_is_here(fake, gateway, asked) -> None:
    intent = fake.account.objects[gateway.charge(asked).gateway_id]
    assert (intent["amount"], intent["currency"], intent["customer"]) == (1999, "eur", asked.owner)
    assert intent["metadata"] == {"payment": asked.idempotency_key, "charge": "1", "customer": "usr_1"}
    [sent] = [each for each in fake.requests if each.path == "/v1/payment_intents" and each.method == "POST"]
    assert b"off_session=true" in sent.body.lower()
    assert b"confirm=true" in sent.body.lower()
    assert sent.headers["idempotency-key"] == asked.idempotency_key


@pytest.mark.parametrize(
    ("code", "decline"),
    [
        ("insufficient_funds", Decline.SOFT),
        ("generic_decline", Decline.SOFT),
        ("something_new", Decline.SOFT),
        ("expired_card", Decline.HARD),
        ("stolen_card", Decline.HARD),
        ("revocation_of_authorization", Decline.HARD),
    ],
)
def test_declines(fake, gateway, asked, code: str, decline: Decline) -> None:
    answers(fake, asked, code)
    snapshot = gateway.charge(asked)
    assert (snapshot.state, snapshot.failure_code, snapshot.decline) == (State.FAILED, code, decline)
    # The key remembers it.
    assert gateway.charge(asked).gateway_id == snapshot.gateway_id


def test_no_code_means_two_things() -> None:
    assert not declines.HARD & declines.AUTHENTICATION
    assert declines.of("") is None


def test_the_banks_page_of_the_same_intent(fake, gateway, asked) -> None:
    answers(fake, asked, "authentication_required")
    waiting = gateway.charge(asked)
    assert (waiting.state, waiting.decline) == (State.REQUIRES_ACTION, None)
    assert "is it you?" in requests.get(waiting.action_url, timeout=5).text
    sent = requests.post(f"{waiting.action_url}/approve", timeout=5, allow_redirects=False)
    assert sent.headers["Location"] == asked.return_url
    assert gateway.fetch(waiting.gateway_id).state is State.SUCCEEDED
    # One intent, so nothing can be taken twice.
    assert len([each for each in fake.account.all("charge") if each["paid"]]) == 2
    assert len(fake.account.all("payment_intent")) == 2


def test_who_refuses_at_the_bank(fake, gateway, asked) -> None:
    answers(fake, asked, "authentication_required")
    waiting = gateway.charge(asked)
    requests.post(f"{waiting.action_url}/refuse", timeout=5, allow_redirects=False)
    refused = gateway.fetch(waiting.gateway_id)
    assert (refused.state, refused.decline) == (State.FAILED, Decline.AUTHENTICATION)


def test_an_answer_lost_after_the_charge_is_found(fake, gateway, asked) -> None:
    fake.fault(Fault.RESET_AFTER, path="/v1/payment_intents", method="POST")
    with pytest.raises(GatewayError) as lost:
        gateway.charge(asked)
    assert not lost.value.permanent
    found = gateway.find_charge(asked)
    assert (found.state, found.amount) == (State.SUCCEEDED, 1999)


def test_an_answer_lost_before_the_banks_page(fake, gateway, asked) -> None:
    """The intent was declined, and the second confirmation never arrived: it is found as declined."""
    answers(fake, asked, "authentication_required")
    fake.fault(Fault.ERROR_BEFORE, path="/confirm", method="POST")
    with pytest.raises(GatewayError):
        gateway.charge(asked)
    found = gateway.find_charge(asked)
    assert (found.state, found.decline) == (State.FAILED, Decline.AUTHENTICATION)


def test_a_detached_card_is_gone(fake, gateway, asked) -> None:
    fake.account.detach(asked.method)
    with pytest.raises(GatewayError) as refusal:
        gateway.charge(asked)
    assert (refusal.value.permanent, refusal.value.code) == (True, METHOD_GONE)


def test_a_wrong_key_says_nothing_about_the_charge(gateway, asked, settings) -> None:
    settings.STRIPE_SECRET_KEY = "sk_test_another_account"
    with pytest.raises(GatewayError) as refusal:
        gateway.charge(asked)
    assert not refusal.value.permanent


def test_a_page_is_not_mistaken_for_a_charge(fake, gateway, asked, make) -> None:
    session = gateway.create_session(make(idempotency_key="pay_9")).gateway_id
    fake.account.pay(session)
    assert gateway.find_charge(replace(asked, idempotency_key="pay_9", owner="")) is None


def test_events_of_charges_count_and_those_of_pages_do_not(fake, gateway, asked) -> None:
    intent = gateway.charge(asked).gateway_id
    events = [each for each in fake.account.all("event") if each["type"] == "payment_intent.succeeded"]
    subjects = []
    for event in events:
        body = json.dumps(event).encode()
        subjects.append(webhooks.parse(body, fake.sign(body)["Stripe-Signature"]))
    assert [(each.subject, each.gateway_id) for each in subjects] == [(None, ""), ("payment", intent)]
