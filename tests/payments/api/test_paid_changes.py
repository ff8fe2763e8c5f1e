"""The API: a checkout pays what a change lacks, and the change is made with the money."""

import pytest
from django.utils import timezone

from accounts.models import User
from payments.models import Payment
from subscriptions import orders
from subscriptions.models import Price, Subscription
from tests.payments.api.calls import CHECKOUT, problem
from tests.subscriptions.shop import params, pay_in, sell

pytestmark = pytest.mark.django_db


@pytest.fixture
def holding(alice: User, basic: Price) -> Subscription:
    pay_in(alice, 1000_00, at=timezone.now())
    return orders.subscribe(alice, basic, now=timezone.now())


def test_the_missing_amount_is_paid_and_the_change_made_with_it(alice, api, holding, choose):
    standard = sell("standard", RUB=1500_00)["RUB"]
    change_url = f"/api/subscriptions/{holding.public_id}/change-plan"
    assert problem(api.post(change_url, {"plan": "standard"}))[:2] == (402, "insufficient_funds")
    sent = {"subscription": holding.public_id, "change": {"plan": "Standard"}, "metadata": {"cart": "42"}}
    answer = api.post(CHECKOUT, sent)
    assert (answer.status_code, answer.json()["plan"]) == (201, "standard")
    assert answer.json()["change"] == {"plan": "standard", "quantity": None, "made_at": None, "refusal": None}
    payment = Payment.objects.get()
    choose(payment, "succeeds")
    paid = api.post("/api/payments/confirm-payment", {"payment_id": payment.public_id}).json()
    assert (paid["status"], paid["change"]["refusal"]) == ("confirmed", None)
    assert paid["change"]["made_at"] == paid["confirmed_at"]
    holding.refresh_from_db()
    assert holding.price == standard
    assert problem(api.post(CHECKOUT, {**sent, "change": {"plan": "standard"}}))[:2] == (409, "nothing_to_pay")


def test_more_seats_likewise(api, holding):
    answer = api.post(CHECKOUT, {"subscription": holding.public_id, "change": {"quantity": 2}})
    assert (answer.status_code, answer.json()["change"]["quantity"]) == (201, 2)


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({}, "change.plan"),
        ({"plan": "basic", "quantity": 2}, "change.quantity"),
        ({"quantity": 0}, "change.quantity"),
        ({"when": "now", "plan": "basic"}, "change.when"),
        ("basic", "change"),
        (["basic"], "change"),
    ],
)
def test_a_change_that_makes_no_sense_names_its_field(api, holding, change, param):
    answer = api.post(CHECKOUT, {"subscription": holding.public_id, "change": change})
    assert (answer.status_code, params(answer)) == (400, [param])


def test_a_change_of_what_is_not_sold_or_not_ones_own_is_refused(api, mallory_api, holding):
    sent = {"subscription": holding.public_id, "change": {"plan": "gold"}}
    assert problem(api.post(CHECKOUT, sent))[:2] == (400, "plan_not_found")
    assert problem(mallory_api.post(CHECKOUT, sent))[1] == "not_found"
    assert params(api.post(CHECKOUT, {"change": {"plan": "basic"}, "plan": "basic"})) == ["change"]
    assert not Payment.objects.exists()
