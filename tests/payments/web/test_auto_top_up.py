"""The page for automatic top-ups: the numbers, the words for them, and the rule once the customer agrees."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from core.ids import new_id
from ledger.models import Account
from payments.models import AutoTopUp, Consent, PaymentMethod
from tests.web import hidden, words

pytestmark = pytest.mark.django_db

PAGE = "/account/automatic-payments/top-up/?currency=RUB"
NUMBERS = {"threshold": "100", "amount": "500,00", "cap": "5 000"}


@pytest.fixture
def card(alice: User, on_sale: None) -> PaymentMethod:
    return PaymentMethod.objects.create(
        customer=alice, gateway="sandbox", gateway_id=new_id("sbm"), brand="Visa", last4="4242",
        created_at=timezone.now(),
    )  # fmt: skip


def send(browser: Client, card: PaymentMethod, **numbers: str) -> Any:
    return browser.post(PAGE, {"method": card.public_id} | numbers)


def test_the_words_are_shown_before_anything_is_turned_on(browser: Client, card: PaymentMethod) -> None:
    page = send(browser, card, **NUMBERS)
    assert "charges Visa •••• 4242 with ₽500.00 whenever my balance falls below ₽100.00" in words(page)
    assert "at most ₽5,000.00 in a calendar month" in words(page)
    assert not Consent.objects.exists()
    answer = send(browser, card, **NUMBERS, agree="1", seen=hidden(page)["seen"])
    assert answer.status_code == 303
    rule = AutoTopUp.objects.get()
    assert (rule.threshold, rule.amount, rule.monthly_cap, rule.days_ahead) == (100_00, 500_00, 5000_00, None)
    assert (rule.consent.method, rule.consent.address) == (card, "127.0.0.1")
    assert rule.consent.words in words(browser.get("/account/automatic-payments/"))


def test_other_numbers_than_those_of_the_words_turn_nothing_on(browser: Client, card: PaymentMethod) -> None:
    seen = hidden(send(browser, card, **NUMBERS))["seen"]
    page = send(browser, card, **NUMBERS | {"amount": "5000"}, agree="1", seen=seen)
    assert "with ₽5,000.00 whenever" in words(page)
    assert not AutoTopUp.objects.exists()


def test_days_ahead(browser: Client, card: PaymentMethod) -> None:
    numbers = {"days": "7", "cap": "5000"}
    page = send(browser, card, **numbers)
    assert "when my balance lasts for fewer than 7 days" in words(page)
    send(browser, card, **numbers, agree="1", seen=hidden(page)["seen"])
    assert AutoTopUp.objects.get().days_ahead == 7


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ({"amount": "99"}, "The amount must be from ₽100.00 to ₽1,000,000.00."),
        ({"amount": "a lot"}, "Enter an amount, for example 500 or 499.50."),
        ({"cap": "499"}, "The monthly limit must be at least ₽500.00."),
        ({"threshold": "0"}, "The threshold must be above zero"),
        ({"days": "3"}, "not both"),
        ({"days": "x"}, "Enter a whole number."),
    ],
)
def test_what_is_wrong_is_said_beside_the_field(
    browser: Client, card: PaymentMethod, numbers: dict[str, str], said: str
) -> None:
    answer = send(browser, card, **NUMBERS | numbers)
    assert answer.status_code == 422
    assert said in words(answer)


def test_the_method_of_another_customer_is_refused(browser: Client, card: PaymentMethod, mallory: User) -> None:
    PaymentMethod.objects.update(customer=mallory)
    assert "No saved payment methods" in words(browser.get(PAGE))
    assert send(browser, card, **NUMBERS).status_code == 422


def test_the_form_is_for_the_customers_own_balance(browser: Client, card: PaymentMethod, alice: User) -> None:
    page = "/account/automatic-payments/top-up/"
    assert 'aria-current="true">EUR<' in browser.get(page).content.decode()
    Account.objects.create(kind="wallet", owner=alice, currency="RUB", balance=0)
    assert 'aria-current="true">RUB<' in browser.get(page).content.decode()


def test_changing_a_rule_starts_from_its_numbers(browser: Client, card: PaymentMethod) -> None:
    seen = hidden(send(browser, card, **NUMBERS))["seen"]
    send(browser, card, **NUMBERS, agree="1", seen=seen)
    assert f'href="{PAGE}">Change<' in browser.get("/account/automatic-payments/").content.decode()
    page = browser.get(PAGE).content.decode()
    for value in ("100.00", "500.00", "5000.00"):
        assert f'value="{value}"' in page


def test_an_empty_limit_is_named(browser: Client, card: PaymentMethod) -> None:
    assert "Enter a monthly limit." in words(send(browser, card, **NUMBERS | {"cap": ""}))


@pytest.mark.parametrize(
    ("stopped", "said"),
    [
        ("burst", "because too many charges were needed in a day. Set it up again to turn it on."),
        ("disputed", "because your bank is taking back one of your payments. Set it up again to turn it on."),
        ("method_removed", "Visa •••• 4242 cannot be charged any more. Set it up again with another payment method."),
        ("", "Visa •••• 4242 cannot be charged any more. Set it up again with another payment method."),
    ],
)
def test_why_a_rule_does_not_charge(browser: Client, card: PaymentMethod, stopped: str, said: str) -> None:
    seen = hidden(send(browser, card, **NUMBERS))["seen"]
    send(browser, card, **NUMBERS, agree="1", seen=seen)
    assert "Set it up again" not in words(browser.get("/account/automatic-payments/"))
    if stopped:
        AutoTopUp.objects.update(stopped_at=timezone.now(), stopped_reason=stopped)
    else:
        PaymentMethod.objects.update(removed_at=timezone.now())
    assert said in words(browser.get("/account/automatic-payments/"))


def test_turning_it_off(browser: Client, card: PaymentMethod) -> None:
    seen = hidden(send(browser, card, **NUMBERS))["seen"]
    send(browser, card, **NUMBERS, agree="1", seen=seen)
    page = browser.post("/account/automatic-payments/top-up/off/", {"currency": "RUB"}, follow=True)
    assert "Automatic top-ups are off." in words(page)
    assert not AutoTopUp.objects.get().is_on
    assert Consent.objects.get().withdrawn_at is not None


def test_in_russian(browser: Client, card: PaymentMethod) -> None:
    page = browser.post(f"/ru{PAGE}", {"method": card.public_id, **NUMBERS})
    assert "Я разрешаю" in words(page)
