"""Pages never change the currency silently, and offer only the gateways that take it."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from payments.models import Payment
from tests.payments import faulty_gateway
from tests.subscriptions.shop import pay_in, sell
from tests.web import hidden, words


@pytest.fixture
def euros_first(settings: Any) -> None:
    settings.GATEWAY_CLASSES = settings.GATEWAY_CLASSES | {"euros": faulty_gateway.EUROS}
    settings.PAYMENT_GATEWAYS = ["euros", "sandbox"]


@pytest.fixture
def only_euros(settings: Any, euros_first: None) -> None:
    settings.PAYMENT_GATEWAYS = ["euros"]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/topup/?currency=XXX", "You cannot top up in XXX here."),
        ("/checkout/basic/?currency=JPY", "This plan is not sold in JPY."),
        ("/pricing/?currency=JPY", "There are no plans in JPY."),
    ],
)
def test_a_currency_that_is_not_offered_is_answered_with_choices(browser: Client, path: str, said: str) -> None:
    page = browser.get(path)
    assert page.status_code == 404
    assert said in words(page)
    assert 'href="?currency=EUR"' in page.content.decode()
    assert 'href="?currency=RUB"' in page.content.decode()


def test_any_currency_that_a_gateway_takes_can_be_topped_up(browser: Client) -> None:
    page = browser.get("/topup/?currency=JPY")
    assert page.status_code == 200
    assert "¥2,500" in words(page)
    sent = {**hidden(page), "amount": "2500", "method": "sandbox"}
    assert browser.post("/topup/?currency=JPY", sent).status_code == 303
    assert str(Payment.objects.get().money) == "2500 JPY"


def test_only_gateways_that_take_the_currency_and_the_amount_are_offered(browser: Client, euros_first: None) -> None:
    for query, offered in (("EUR&amount=100", True), ("EUR&amount=501", False), ("RUB&amount=500", False)):
        html = browser.get(f"/topup/?currency={query}").content.decode()
        assert ('value="euros"' in html, 'value="sandbox"' in html) == (offered, True)


def test_a_checkout_in_a_currency_that_no_gateway_takes_says_so(browser: Client, only_euros: None) -> None:
    page = browser.get("/checkout/basic/?currency=RUB")
    assert "You cannot pay in RUB here now, only from your balance." in words(page)
    assert "and subscribe" not in words(page)


def test_whoever_pays_from_the_balance_is_told_too(browser: Client, alice: User, only_euros: None) -> None:
    pay_in(alice, 1000_00)
    page = browser.get("/checkout/basic/?currency=RUB")
    assert "You cannot pay in RUB here now, only from your balance." in words(page)
    assert "and subscribe" in words(page)
    account = browser.get("/account/")
    assert "You cannot top up in RUB here now." in words(account)
    assert 'href="/topup/?currency=RUB"' not in account.content.decode()


def test_an_amount_beyond_every_gateway_says_what_is_possible(browser: Client, only_euros: None) -> None:
    sell("big", EUR=501_00)
    assert "One payment can be from €1.00 to €500.00." in words(browser.get("/checkout/big/?currency=EUR"))


def test_the_payment_method_is_saved_only_if_the_customer_chooses_so(browser: Client) -> None:
    page = browser.get("/topup/?currency=RUB&amount=500")
    assert '<input type="radio" name="keep" value="save">' in page.content.decode()
    for box in ({}, {"keep": "save"}):
        sent = {**hidden(browser.get("/topup/?currency=RUB&amount=500")), "amount": "500", "method": "sandbox"}
        assert browser.post("/topup/?currency=RUB", sent | box).status_code == 303
        assert Payment.objects.latest("id").save_method is bool(box)


def test_no_box_is_shown_for_gateways_that_keep_nothing(browser: Client, only_euros: None) -> None:
    assert 'name="keep"' not in browser.get("/topup/?currency=EUR&amount=50").content.decode()
