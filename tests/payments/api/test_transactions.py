"""GET /api/transactions/: the subscription and plan of each charge."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from ledger.models import Transaction
from payments import refunds
from payments.models import Payment
from subscriptions import books
from subscriptions.models import Subscription
from tests.subscriptions.shop import START, client, pay_in, sell

pytestmark = pytest.mark.django_db
LOG = "/api/transactions/"


@pytest.fixture(autouse=True)
def _shop(time_machine: time_machine.TimeMachineFixture) -> None:
    time_machine.move_to(START, tick=False)
    sell("basic", RUB=990_00)
    sell("vm", RUB=1_00, interval="hour", metered=True)


def order(user: User, plan: str) -> str:
    return str(client(user).post("/api/subscriptions/", {"plan": plan}).json()["id"])


def settle(user: User, *, hours: int) -> None:
    with books.open(user, "RUB", now=START + timedelta(hours=hours)):
        pass


def test_a_charge_and_its_refund_name_their_subscription(alice: User) -> None:
    pay_in(alice, 2000_00)
    basic, vm = order(alice, "basic"), order(alice, "vm")
    settle(alice, hours=2)
    client(alice).post(f"/api/subscriptions/{basic}/cancel", {"when": "now", "refund_unused": True})
    lines = client(alice).get(LOG).json()["results"]
    listed = {(line["reason"], line["subscription"], line["plan"]) for line in lines}
    assert listed == {
        ("top_up", None, None), ("charge", basic, "basic"), ("charge", vm, "vm"), ("unused_refund", basic, "basic"),
    }  # fmt: skip
    for line in lines:
        assert client(alice).get(LOG + line["id"]).json() == line


def test_grace_names_its_subscription_and_a_debt_payment_names_none(alice: User) -> None:
    sell("weak", RUB=310_00, grace_days=3)
    pay_in(alice, 320_00)
    weak = order(alice, "weak")
    settle(alice, hours=34 * 24)
    pay_in(alice, 30_00, at=START + timedelta(days=35))
    lines = client(alice).get(LOG).json()["results"]
    # The grace costs 31.00. The 21.00 that were missing are not on the balance until they are paid.
    assert [(line["reason"], line["amount"], line["subscription"]) for line in lines] == [
        ("debt_payment", "-21.00", None), ("top_up", "30.00", None), ("charge", "-10.00", weak),
        ("charge", "-310.00", weak), ("top_up", "320.00", None),
    ]  # fmt: skip


def test_the_list_takes_the_same_queries_however_long_it_is(
    alice: User, django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    pay_in(alice, 2000_00)
    order(alice, "vm")
    settle(alice, hours=1)
    with django_assert_max_num_queries(20) as few:
        client(alice).get(LOG)
        query_count = len(few)
    for hours in range(2, 12):
        order(alice, "vm")
        settle(alice, hours=hours)
    assert Subscription.objects.count() == 11
    assert Transaction.objects.filter(reason="charge").count() > 50
    with django_assert_num_queries(query_count):
        assert len(client(alice).get(LOG + "?limit=100").json()["results"]) > 50


def test_each_transaction_names_its_customer_and_the_payment_that_it_comes_from(api: APIClient, alice: User) -> None:
    body = {"value": "2000.00", "currency": "RUB", "payment_id": "order-2026-7"}
    made = api.post("/api/v1/payment", body).json()
    with books.open(alice, "RUB", now=START) as book:
        book.top_up(5_00, key="gift", source="promotions", reason="promotion")
    Client().post(made["confirmation_url"], {"outcome": "succeeds"})
    api.post("/api/payments/confirm-payment", {"payment_id": "order-2026-7"})
    order(alice, "basic")
    refunds.issue(Payment.objects.get(), amount=100_00, now=timezone.now())
    lines = api.get(LOG).json()["results"]
    assert {(line["reason"], line["payment"]) for line in lines} == {
        ("top_up", "order-2026-7"), ("refund", "order-2026-7"), ("promotion", None), ("charge", None),
    }  # fmt: skip
    assert {line["user"] for line in lines} == {alice.pk}
    for line in lines:
        assert api.get(LOG + line["id"]).json() == line
