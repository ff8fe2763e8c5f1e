"""A checkout form that is sent twice at once buys once, even if it is sent with two choices."""

from functools import partial

import pytest
from django.test import Client

from payments.models import Payment
from subscriptions.models import Subscription
from tests.concurrency.sessions import at_once
from tests.subscriptions.shop import pay_in, sell

pytestmark = pytest.mark.django_db(transaction=True)


def test_paying_by_card_and_from_the_balance_at_once_makes_one_order(alice):
    sell("basic", RUB=990_00)
    pay_in(alice, 50_000_00)

    def send(key: str, method: str) -> int:
        browser = Client()
        browser.force_login(alice)
        form = {"form_key": key, "shown": 99000, "total": 99000, "quantity": 1, "auto_renew": "on", "method": method}
        return browser.post("/checkout/basic/?currency=RUB&periods=1", form).status_code

    for turn in range(1, 6):
        answers = at_once([partial(send, f"form_{turn}", method) for method in ("balance", "sandbox")])
        # One of them buys. The other is refused, or leads to what was bought from the balance just before it.
        assert sorted(answers) in ([303, 422], [303, 303])
        assert Subscription.objects.count() == turn
        assert Payment.objects.count() <= turn


def test_a_double_click_on_one_choice_is_no_error(alice):
    sell("basic", RUB=990_00)
    pay_in(alice, 50_000_00)

    def send(method: str) -> str:
        browser = Client()
        browser.force_login(alice)
        form = {"form_key": method, "shown": 99000, "total": 99000, "quantity": 1, "auto_renew": "on", "method": method}
        return browser.post("/checkout/basic/?currency=RUB&periods=1", form)["location"]

    for method in ("balance", "sandbox"):
        assert len({*at_once([partial(send, method)] * 3)}) == 1
    assert Subscription.objects.count() == 2
