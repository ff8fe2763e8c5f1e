"""Customers pay through an offered gateway that takes the currency and the amount, and nothing is changed silently."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from payments.amounts import AmountOutOfRange, CurrencyNotTaken
from payments.gateways.registry import NoGateway, UnknownGateway
from payments.models import Payment
from subscriptions.models import Price
from tests.payments import faulty_gateway
from tests.payments.api.calls import TOP_UP, problem
from tests.payments.checkouts import start
from tests.subscriptions.shop import sell

pytestmark = pytest.mark.django_db


@pytest.fixture
def euros_first(settings: Any) -> None:
    """Offer `euros`, which takes euros only, and `card`, which takes everything."""
    settings.GATEWAY_CLASSES = {"euros": faulty_gateway.EUROS, "card": faulty_gateway.CARD}
    settings.PAYMENT_GATEWAYS = ["euros", "card"]


@pytest.fixture
def only_euros(settings: Any, euros_first: None) -> None:
    settings.PAYMENT_GATEWAYS = ["euros"]


def test_the_first_gateway_that_takes_the_currency_and_the_amount_is_the_default(
    alice: User, euros_first: None
) -> None:
    made = [start(alice, amount=amount, currency=currency) for amount, currency in
            ((10_00, "EUR"), (501_00, "EUR"), (500_00, "RUB"))]  # fmt: skip
    assert [payment.gateway for payment in made] == ["euros", "card", "card"]


def test_a_gateway_that_does_not_take_the_currency_is_refused(alice: User, basic: Price, euros_first: None) -> None:
    with pytest.raises(NoGateway) as caught:
        start(alice, plan="basic", gateway="euros")
    assert str(caught.value) == "euros does not take RUB. It takes EUR. For RUB choose card."
    assert caught.value.param == "gateway"
    assert not Payment.objects.exists()


def test_an_amount_that_no_gateway_takes_is_refused_with_the_limits(alice: User, only_euros: None) -> None:
    sell("big", EUR=501_00)
    with pytest.raises(NoGateway) as caught:
        start(alice, plan="big")
    assert str(caught.value) == "One payment can be from 1.00 EUR to 500.00 EUR. This one is 501.00 EUR."


def test_another_gateway_takes_the_place_of_the_first(alice: User, basic: Price, settings: Any) -> None:
    settings.GATEWAY_CLASSES = settings.GATEWAY_CLASSES | {"card": faulty_gateway.CARD}
    settings.PAYMENT_GATEWAYS = ["sandbox", "card"]
    first = start(alice, plan="basic", gateway="sandbox")
    second = start(alice, subscription=first.subscription, gateway="card")
    first.refresh_from_db()
    assert (first.status, second.status) == ("cancelled", "pending")
    assert (second.gateway, second.subscription) == ("card", first.subscription)


def test_a_retired_gateway_is_not_offered_but_its_open_payment_goes_on(
    alice: User, basic: Price, euros_first: None, settings: Any
) -> None:
    first = start(alice, plan="basic", gateway="card")
    settings.GATEWAY_CLASSES = settings.GATEWAY_CLASSES | {"sandbox": "payments.gateways.sandbox.gateway.Sandbox"}
    settings.PAYMENT_GATEWAYS = ["sandbox"]
    assert start(alice, plan="basic") == first
    with pytest.raises(UnknownGateway):
        start(alice, amount=100_00, currency="RUB", gateway="card")


def test_any_currency_that_a_gateway_takes_can_be_topped_up(alice: User) -> None:
    assert start(alice, amount=1, currency="JPY").currency == "JPY"


def test_the_setting_narrows_what_gateways_take(alice: User, only_euros: None, settings: Any) -> None:
    settings.TOP_UP_LIMITS = {"EUR": (5_00, 10_000_00)}
    for amount in (4_99, 500_01):
        with pytest.raises(AmountOutOfRange, match=r"from 5\.00 EUR to 500\.00 EUR"):
            start(alice, amount=amount, currency="EUR")
    with pytest.raises(CurrencyNotTaken, match=r"You can top up in EUR\. You sent RUB\."):
        start(alice, amount=500_00, currency="RUB")


def test_the_api_says_which_gateway_takes_the_currency(api: APIClient, euros_first: None) -> None:
    answer = api.post(TOP_UP, {"value": "500", "currency": "RUB", "gateway": "euros"})
    assert problem(answer) == (400, "no_gateway", ["gateway"])
    assert answer.json()["detail"] == "euros does not take RUB. It takes EUR. For RUB choose card."


def test_the_api_knows_the_limits_of_the_chosen_gateway(api: APIClient, euros_first: None) -> None:
    answer = api.post(TOP_UP, {"value": "501", "currency": "EUR", "gateway": "euros"})
    assert answer.status_code == 400
    assert "from 1.00 EUR to 500.00 EUR" in answer.json()["errors"][0]["detail"]
