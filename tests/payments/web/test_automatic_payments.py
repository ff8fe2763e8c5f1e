"""The page on which a customer agrees to automatic payments, and withdraws."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from core.ids import new_id
from ledger.models import Account
from payments.models import Collection, Consent, PaymentMethod
from tests.web import words

pytestmark = pytest.mark.django_db

PAGE = "/account/automatic-payments/"


def saved(customer: User, *, last4: str = "4242", **changes: Any) -> PaymentMethod:
    fields = {"customer": customer, "gateway": "sandbox", "brand": "Visa", "last4": last4}
    return PaymentMethod.objects.create(
        gateway_id=new_id("sbm"), **fields | {"created_at": timezone.now()} | changes
    )  # fmt: skip


def agree(browser: Client, method: PaymentMethod, **more: str) -> Any:
    return browser.post(PAGE, {"method": method.public_id, "agree": "1"} | more, follow=True)


def test_without_a_saved_method_the_page_says_how_to_get_one(browser: Client) -> None:
    page = words(browser.get(PAGE))
    assert "No saved payment methods" in page
    assert "Nothing is charged without you." in page


def test_the_account_page_leads_here(browser: Client) -> None:
    assert PAGE in browser.get("/account/").content.decode()


def test_the_words_that_were_shown_are_kept(browser: Client, alice: User) -> None:
    card = saved(alice)
    page = words(browser.get(PAGE))
    assert "when my balance is too low for a renewal of my subscriptions" in page
    page = words(agree(browser, card))
    assert "Automatic payments are on." in page
    assert "we charge Visa •••• 4242" in page
    consent = Consent.objects.get()
    assert consent.words in page
    assert (consent.method, consent.language, consent.address) == (card, "en", "127.0.0.1")


def test_in_russian(browser: Client, alice: User) -> None:
    card = saved(alice)
    assert "Я разрешаю" in words(browser.get(f"/ru{PAGE}"))
    browser.post(f"/ru{PAGE}", {"method": card.public_id, "agree": "1"})
    consent = Consent.objects.get()
    assert consent.language == "ru"
    assert consent.words.startswith("Я разрешаю")


def test_without_the_tick_nothing_is_agreed(browser: Client, alice: User) -> None:
    answer = browser.post(PAGE, {"method": saved(alice).public_id})
    assert answer.status_code == 422
    assert "Tick the box to agree. Nothing was changed." in words(answer)
    assert not Consent.objects.exists()


def test_the_method_of_another_customer_is_refused(browser: Client, alice: User, mallory: User) -> None:
    saved(alice)
    answer = browser.post(PAGE, {"method": saved(mallory, last4="1881").public_id, "agree": "1"})
    assert answer.status_code == 422
    assert "Choose one of the payment methods on this page." in words(answer)
    assert "1881" not in words(answer)
    assert not Consent.objects.exists()


@pytest.mark.parametrize(
    ("field", "said"),
    [("refused_at", "Your bank has refused automatic payments with it."), ("expires_on", "It has expired.")],
)
def test_a_method_that_cannot_be_charged_says_why(browser: Client, alice: User, field: str, said: str) -> None:
    changes: dict[str, Any] = {field: timezone.now() - timedelta(days=2)}
    card = saved(alice, **changes)
    assert said in words(browser.get(PAGE))
    assert browser.post(PAGE, {"method": card.public_id, "agree": "1"}).status_code == 422


def test_a_removed_method_is_not_shown(browser: Client, alice: User) -> None:
    saved(alice, removed_at=timezone.now())
    assert "4242" not in words(browser.get(PAGE))


def test_turning_off_twice(browser: Client, alice: User) -> None:
    agree(browser, saved(alice))
    for _turn in range(2):
        page = words(browser.post(f"{PAGE}withdraw/", follow=True))
        assert "Automatic payments are off." in page
    assert Consent.objects.get().withdrawn_at is not None


def test_a_refused_method_asks_for_another(browser: Client, alice: User) -> None:
    agree(browser, saved(alice))
    PaymentMethod.objects.update(refused_at=timezone.now())
    assert "Visa •••• 4242 cannot be charged any more." in words(browser.get(PAGE))


def test_a_method_whose_gateway_is_off_asks_for_another(browser: Client, alice: User, settings: Any) -> None:
    settings.YOOKASSA_SAVES_METHODS, settings.YOOKASSA_SHOP_ID = True, "100500"
    settings.YOOKASSA_SECRET_KEY = "test_abcdef"
    agree(browser, saved(alice, last4="0004", gateway="yookassa"))
    assert "we charge Visa •••• 0004" in words(browser.get(PAGE))
    settings.YOOKASSA_SHOP_ID = settings.YOOKASSA_SECRET_KEY = ""
    assert "Visa •••• 0004 cannot be charged any more." in words(browser.get(PAGE))


def test_a_declined_charge_says_when_it_is_tried_again(browser: Client, alice: User) -> None:
    wallet = Account.objects.create(kind="wallet", owner=alice, currency="RUB", balance=0)
    now = timezone.now()
    Collection.objects.create(
        customer=alice, wallet=wallet, currency="RUB", kind="renewal", cause="renewal:1", due_at=now, next_at=now,
        declines=1, declined_at=now, amount=990_00, created_at=now, updated_at=now,
    )  # fmt: skip
    assert "The last charge did not go through. We try again on" in words(browser.get(PAGE))
