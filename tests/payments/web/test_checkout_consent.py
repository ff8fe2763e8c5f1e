"""The box "Save this card, and pay renewals with it" on the pages that pay."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from core.ids import new_id
from payments.collection import checkout_consents, consents
from payments.models import CheckoutConsent, Consent, Payment, PaymentMethod
from subscriptions.models import Subscription
from tests.subscriptions.shop import pay_in
from tests.web import hidden, words

pytestmark = pytest.mark.django_db

STANDARD = "/checkout/standard/?currency=RUB"
BOX = "Save this card, and pay renewals with it"


def send(browser: Client, path: str = STANDARD, **fields: str) -> Any:
    return browser.post(path, hidden(browser.get(path)) | {"method": "sandbox", "auto_renew": "on"} | fields)


def pay(browser: Client, address: str) -> str:
    """Pay on the sandbox's page, come back, and return the words of our page."""
    back = browser.post(address, {"outcome": "succeeds"})["Location"]
    return words(browser.get(back))


def test_the_box_is_offered_with_its_words_and_not_ticked(browser: Client) -> None:
    page = browser.get(STANDARD)
    assert BOX in words(page)
    assert checkout_consents.words() in words(page)
    box = page.content.decode().split('name="agree"')[1].split(">")[0]
    assert "checked" not in box


def test_who_ticks_it_needs_no_second_page(browser: Client, alice: User) -> None:
    answer = send(browser, agree="1")
    payment = Payment.objects.get()
    assert (answer.status_code, payment.save_method) == (303, True)
    assert not Consent.objects.exists()
    pay(browser, answer["Location"])
    consent = Consent.objects.get()
    assert (consent.words, consent.language, consent.address) == (checkout_consents.words(), "en", "127.0.0.1")
    assert consent.method == PaymentMethod.objects.get()
    page = words(browser.get("/account/automatic-payments/"))
    assert "we charge Visa •••• 4242" in page
    assert consent.words in page


def test_who_does_not_tick_it_has_agreed_to_nothing(browser: Client) -> None:
    pay(browser, send(browser, save_method="on")["Location"])
    assert PaymentMethod.objects.count() == 1
    assert not CheckoutConsent.objects.exists()
    assert not Consent.objects.exists()


def test_the_same_form_sent_twice_makes_one_payment(browser: Client) -> None:
    form = hidden(browser.get(STANDARD)) | {"method": "sandbox", "agree": "1"}
    first, second = browser.post(STANDARD, form), browser.post(STANDARD, form)
    assert first["Location"] == second["Location"]
    assert CheckoutConsent.objects.count() == 1


def test_in_russian_the_words_are_russian(browser: Client) -> None:
    path = f"/ru{STANDARD}"
    pay(browser, send(browser, path, agree="1")["Location"])
    consent = Consent.objects.get()
    assert consent.language == "ru"
    assert consent.words.startswith("Я разрешаю")


def test_words_that_were_not_shown_are_not_agreed_to(browser: Client) -> None:
    answer = send(browser, agree="1", seen="0" * 64)
    assert answer.status_code == 422
    assert "The text that you agree to has changed." in words(answer)
    assert not Payment.objects.exists()


def test_a_gateway_that_cannot_charge_is_refused_and_not_passed_over(browser: Client, settings: Any) -> None:
    settings.PAYMENT_GATEWAYS = ["sandbox", "manual"]
    settings.MANUAL_DETAILS = '{"beneficiary": "Acme Ltd", "account": "40702810900000000001"}'
    answer = send(browser, agree="1", method="manual")
    assert answer.status_code == 422
    assert "Renewals cannot be paid this way." in words(answer)
    assert not Payment.objects.exists()


def test_without_such_a_gateway_there_is_no_box(browser: Client, settings: Any) -> None:
    settings.PAYMENT_GATEWAYS = ["manual"]
    settings.MANUAL_DETAILS = '{"beneficiary": "Acme Ltd", "account": "40702810900000000001"}'
    assert BOX not in words(browser.get(STANDARD))


def test_from_the_balance_a_tick_counts_for_nothing(browser: Client, alice: User) -> None:
    pay_in(alice, 1000_00)
    assert send(browser, agree="1", method="balance").status_code == 303
    assert Subscription.objects.get().status == "active"
    assert not CheckoutConsent.objects.exists()


def test_who_has_agreed_is_not_asked_again(browser: Client, alice: User) -> None:
    method = PaymentMethod.objects.create(
        customer=alice, gateway="sandbox", gateway_id=new_id("sbm"), created_at=timezone.now()
    )
    consents.agree_to_renewals(method, address=None, now=timezone.now())
    assert BOX not in words(browser.get(STANDARD))


def test_the_page_of_what_is_due_offers_it_too(browser: Client) -> None:
    send(browser)
    path = f"/account/subscriptions/{Subscription.objects.get().public_id}/pay/"
    assert BOX in words(browser.get(path))
    answer = browser.post(path, hidden(browser.get(path)) | {"method": "sandbox", "agree": "1"})
    pay(browser, answer["Location"])
    assert Consent.objects.get().words == checkout_consents.words()


def test_the_top_up_page_offers_it_too(browser: Client) -> None:
    path = "/topup/?currency=RUB&amount=500"
    assert BOX in words(browser.get(path))
    form = hidden(browser.get(path)) | {"method": "sandbox", "agree": "1", "amount": "500"}
    first, second = browser.post(path, form), browser.post(path, form)
    assert (first.status_code, second["Location"]) == (303, first["Location"])
    pay(browser, first["Location"])
    assert Consent.objects.get().words == checkout_consents.words()
    assert BOX not in words(browser.get(path))


def test_a_top_up_without_it_agrees_to_nothing(browser: Client) -> None:
    path = "/topup/?currency=RUB&amount=500"
    form = hidden(browser.get(path)) | {"method": "sandbox", "save_method": "on", "amount": "500"}
    pay(browser, browser.post(path, form)["Location"])
    assert PaymentMethod.objects.count() == 1
    assert not CheckoutConsent.objects.exists()
