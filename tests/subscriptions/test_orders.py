"""The same order again finds the first one, whatever has changed in between."""

from functools import partial

import pytest
from django.utils import timezone

from core.idempotency import KeyReused
from core.models import IdempotencyKey
from subscriptions import orders
from subscriptions.models import Price, Subscription
from tests.concurrency.sessions import at_once
from tests.subscriptions.shop import client, pay_in, sell

ALL = "/api/subscriptions/"


def withdraw(code: str) -> None:
    Price.objects.filter(plan__code=code).update(archived_at=timezone.now())


def order(alice, key="k1", **body):
    return client(alice).post(ALL, {"plan": "basic", **body}, HTTP_IDEMPOTENCY_KEY=key)


@pytest.fixture
def lost(alice):
    """An order whose answer was lost: the process died after the work and before storing it."""
    sell("basic", RUB=990_00, EUR=9_99)
    pay_in(alice, 5000_00)
    first = order(alice).json()["id"]
    IdempotencyKey.objects.all().delete()
    return first


def test_an_order_is_found_after_its_plan_was_withdrawn(alice, lost):
    withdraw("basic")
    again = order(alice)
    assert (again.status_code, again.json()["id"]) == (201, lost)


def test_an_order_without_a_currency_is_found_after_another_wallet_was_opened(alice, lost):
    pay_in(alice, 100_00, "EUR")
    again = order(alice)
    assert (again.status_code, again.json()["id"]) == (201, lost)
    assert Subscription.objects.count() == 1


def test_an_order_with_other_terms_is_refused(alice, lost):
    for other in ({"quantity": 2}, {"currency": "EUR"}, {"periods": 3}, {"auto_renew": False}):
        assert order(alice, **other).json()["code"] == "idempotency_key_reused"
    assert order(alice, quantity=1, auto_renew=True).json()["id"] == lost


@pytest.mark.django_db(transaction=True)
def test_one_key_for_two_currencies_at_once_makes_one_subscription(alice):
    prices = sell("basic", RUB=990_00, EUR=9_99)
    pay_in(alice, 50_000_00)

    def subscribe(key: str, currency: str) -> str:
        request = orders.request_of(key, plan="basic", currency=currency)
        try:
            return orders.subscribe(alice, prices[currency], now=timezone.now(), request=request).public_id
        except KeyReused:
            return "reused"

    for turn in range(4):
        answers = at_once([partial(subscribe, f"k{turn}", currency) for currency in ("RUB", "EUR")] * 3)
        assert answers.count("reused") == 3
        assert len({*answers}) == 2
        assert Subscription.objects.count() == turn + 1
