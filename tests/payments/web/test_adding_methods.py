"""The button "Add a card" on the account page and on the page of automatic payments."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from payments.gateways.errors import GatewayError
from payments.gateways.sandbox.gateway import Sandbox
from payments.models import MethodSetup, PaymentMethod
from tests.web import words

pytestmark = pytest.mark.django_db

ADD = "/account/payment-methods/add/"


def add(browser: Client, prefix: str = "") -> Any:
    return browser.post(f"{prefix}{ADD}", {"gateway": "sandbox"})


def test_a_card_is_added_on_the_gateways_page(browser: Client, alice: User) -> None:
    assert "Add a card" in words(browser.get("/account/"))
    answer = add(browser)
    assert (answer.status_code, answer["Location"]) == (303, MethodSetup.objects.get().confirmation_url)
    page = browser.get(answer["Location"])
    assert "No money is taken now." in words(page)
    back = browser.post(answer["Location"], {"outcome": "succeeds"})
    assert back.status_code == 303
    shown = words(browser.get(back["Location"], follow=True))
    assert "Visa •••• 4242 is saved." in shown
    assert "Valid until" in shown
    assert PaymentMethod.objects.get().customer == alice


def test_the_page_of_automatic_payments_has_the_button_too(browser: Client) -> None:
    assert "Add a card" in words(browser.get("/account/automatic-payments/"))


def test_forms_may_lead_to_the_gateway(browser: Client, settings: Any) -> None:
    settings.PAYMENT_GATEWAYS, settings.STRIPE_SECRET_KEY = ["stripe"], "sk_test_1"
    for path in ("/account/", "/account/automatic-payments/"):
        assert "https://checkout.stripe.com" in browser.get(path)["Content-Security-Policy"]


def test_each_gateway_that_can_has_a_button(browser: Client, settings: Any) -> None:
    settings.PAYMENT_GATEWAYS = ["stripe", "manual", "sandbox"]
    page = words(browser.get("/account/"))
    assert "Add a card: Card" in page
    assert "Add a card: Test payment page" in page
    assert "Bank transfer" not in page


def test_without_a_gateway_that_can_there_is_no_button(browser: Client, settings: Any) -> None:
    settings.PAYMENT_GATEWAYS = ["manual"]
    assert "Add a card" not in words(browser.get("/account/"))
    page = words(add(browser).client.get("/account/"))
    assert "No payment method can be saved there without a payment." in page
    assert not MethodSetup.objects.exists()


def test_who_turns_back_reads_that_nothing_was_saved(browser: Client) -> None:
    add(browser)
    setup = MethodSetup.objects.get()
    back = f"/account/payment-methods/added/{setup.public_id}/"
    assert "No card is saved yet." in words(browser.get(back, follow=True))
    answer = browser.post(setup.confirmation_url, {"outcome": "cancel"})
    assert answer["Location"].endswith(back)
    page = words(browser.get(answer["Location"], follow=True))
    assert "No card was saved." in page
    assert "Valid until" not in page


def test_in_russian_the_way_back_is_russian_too(browser: Client) -> None:
    add(browser, "/ru")
    setup = MethodSetup.objects.get()
    answer = browser.post(setup.confirmation_url, {"outcome": "succeeds"})
    assert "/ru/account/payment-methods/added/" in answer["Location"]
    assert "Сохранено: Visa •••• 4242." in words(browser.get(answer["Location"], follow=True))


def test_a_gateway_that_does_not_answer(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: Any) -> None:
        raise GatewayError("No answer.", permanent=False, code="timeout")

    monkeypatch.setattr(Sandbox, "create_setup", fail)
    answer = add(browser)
    assert (answer.status_code, answer["Location"]) == (303, "/account/")
    assert "The payment service is not responding." in words(browser.get("/account/"))


def test_the_page_of_somebody_else_is_not_found(browser: Client, mallory: User) -> None:
    add(browser)
    back = f"/account/payment-methods/added/{MethodSetup.objects.get().public_id}/"
    client = Client()
    client.force_login(mallory)
    assert client.get(back).status_code == 404
    assert Client().get(back).status_code == 302


def test_a_link_opens_no_page(browser: Client) -> None:
    assert browser.get(ADD).status_code == 405
    assert not MethodSetup.objects.exists()
