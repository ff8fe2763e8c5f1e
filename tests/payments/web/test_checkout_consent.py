"""The choice "Save it and pay renewals with it" on the pages that pay."""

import re
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
CHOICE = "Save it and pay renewals with it"


def send(browser: Client, path: str = STANDARD, **fields: str) -> Any:
    return browser.post(path, hidden(browser.get(path)) | {"method": "sandbox", "auto_renew": "on"} | fields)


def pay(browser: Client, address: str) -> str:
    """Pay on the sandbox's page, come back, and return the words of our page."""
    back = browser.post(address, {"outcome": "succeeds"})["Location"]
    return words(browser.get(back))


def test_it_is_offered_with_its_words_and_not_chosen_beforehand(browser: Client) -> None:
    page = browser.get(STANDARD)
    assert CHOICE in words(page)
    assert checkout_consents.words() in words(page)
    choices = re.findall('name="keep" value="([a-z]*)"( checked)?>', page.content.decode())
    assert choices == [("", " checked"), ("save", ""), ("renew", "")]


def test_who_chooses_it_needs_no_second_page(browser: Client, alice: User) -> None:
    answer = send(browser, keep="renew")
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


def test_who_only_saves_it_has_agreed_to_nothing(browser: Client) -> None:
    pay(browser, send(browser, keep="save")["Location"])
    assert PaymentMethod.objects.count() == 1
    assert not CheckoutConsent.objects.exists()
    assert not Consent.objects.exists()


def test_the_same_form_sent_twice_makes_one_payment(browser: Client) -> None:
    form = hidden(browser.get(STANDARD)) | {"method": "sandbox", "keep": "renew"}
    first, second = browser.post(STANDARD, form), browser.post(STANDARD, form)
    assert first["Location"] == second["Location"]
    assert CheckoutConsent.objects.count() == 1


def test_the_choice_is_kept_when_the_form_is_shown_again(browser: Client) -> None:
    page = send(browser, keep="renew", shown="1").content.decode()
    assert 'name="keep" value="renew" checked' in page
    assert page.count('name="keep"') == 3


def test_a_choice_that_does_not_exist_is_refused(browser: Client) -> None:
    assert send(browser, keep="for ever").status_code == 422
    assert not Payment.objects.exists()


def test_in_russian_the_words_are_russian(browser: Client) -> None:
    path = f"/ru{STANDARD}"
    pay(browser, send(browser, path, keep="renew")["Location"])
    consent = Consent.objects.get()
    assert consent.language == "ru"
    assert consent.words.startswith("Я разрешаю")


def test_words_that_were_not_shown_are_not_agreed_to(browser: Client) -> None:
    answer = send(browser, keep="renew", seen="0" * 64)
    assert answer.status_code == 422
    assert "The text that you agree to has changed." in words(answer)
    assert not Payment.objects.exists()


def test_a_gateway_that_cannot_charge_is_refused_and_not_passed_over(browser: Client, settings: Any) -> None:
    settings.PAYMENT_GATEWAYS = ["sandbox", "manual"]
    settings.MANUAL_DETAILS = '{"beneficiary": "Acme Ltd", "account": "40702810900000000001"}'
    answer = send(browser, keep="renew", method="manual")
    assert answer.status_code == 422
    assert "Renewals cannot be paid this way." in words(answer)
    assert not Payment.objects.exists()


def test_without_such_a_gateway_it_is_not_offered(browser: Client, settings: Any) -> None:
    settings.PAYMENT_GATEWAYS = ["manual"]
    settings.MANUAL_DETAILS = '{"beneficiary": "Acme Ltd", "account": "40702810900000000001"}'
    assert CHOICE not in words(browser.get(STANDARD))


def test_from_the_balance_it_counts_for_nothing(browser: Client, alice: User) -> None:
    pay_in(alice, 1000_00)
    assert send(browser, keep="renew", method="balance").status_code == 303
    assert Subscription.objects.get().status == "active"
    assert not CheckoutConsent.objects.exists()


def test_who_has_agreed_is_not_asked_again(browser: Client, alice: User) -> None:
    method = PaymentMethod.objects.create(
        customer=alice, gateway="sandbox", gateway_id=new_id("sbm"), created_at=timezone.now()
    )
    consents.agree_to_renewals(method, address=None, now=timezone.now())
    assert CHOICE not in words(browser.get(STANDARD))


def test_the_page_of_what_is_due_offers_it_too(browser: Client) -> None:
    send(browser)
    path = f"/account/subscriptions/{Subscription.objects.get().public_id}/pay/"
    assert CHOICE in words(browser.get(path))
    answer = browser.post(path, hidden(browser.get(path)) | {"method": "sandbox", "keep": "renew"})
    pay(browser, answer["Location"])
    assert Consent.objects.get().words == checkout_consents.words()


def test_the_top_up_page_offers_it_too(browser: Client) -> None:
    path = "/topup/?currency=RUB&amount=500"
    assert CHOICE in words(browser.get(path))
    form = hidden(browser.get(path)) | {"method": "sandbox", "keep": "renew", "amount": "500"}
    first, second = browser.post(path, form), browser.post(path, form)
    assert (first.status_code, second["Location"]) == (303, first["Location"])
    pay(browser, first["Location"])
    assert Consent.objects.get().words == checkout_consents.words()
    assert CHOICE not in words(browser.get(path))


def test_a_top_up_without_it_agrees_to_nothing(browser: Client) -> None:
    path = "/topup/?currency=RUB&amount=500"
    form = hidden(browser.get(path)) | {"method": "sandbox", "keep": "save", "amount": "500"}
    pay(browser, browser.post(path, form)["Location"])
    assert PaymentMethod.objects.count() == 1
    assert not CheckoutConsent.objects.exists()
