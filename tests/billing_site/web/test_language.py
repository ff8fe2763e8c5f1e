import re

import pytest

from accounts.models import User
from payments import checkout
from payments.models import Payment
from tests.conftest import PASSWORD
from tests.web import heading, hidden, words


def test_the_language_switch_keeps_path_and_query(client, on_sale):
    english = client.get("/pricing/?currency=EUR").content.decode()
    assert 'href="/ru/pricing/?currency=EUR" lang="ru"' in english
    russian = client.get("/ru/pricing/?currency=EUR").content.decode()
    assert 'href="/pricing/?currency=EUR" lang="en"' in russian
    assert '<html lang="ru">' in russian


def test_settings_change_the_language_of_emails(browser, alice):
    answer = browser.post("/account/settings/", {"language": "ru"})
    assert (answer.status_code, answer["location"]) == (303, "/ru/account/settings/")
    alice.refresh_from_db()
    assert alice.language == "ru"
    assert browser.post("/account/settings/", {"language": "xx"}).status_code == 422


@pytest.mark.parametrize(
    "address",
    ["/ru/", "/ru/account/", "/ru/topup/", "/ru/checkout/standard/", "/ru/checkout/hourly/",
     "/ru/account/transactions/", "/ru/account/settings/", "/ru/nothing/"],
)  # fmt: skip
def test_russian_pages_have_no_english_sentence(browser, address):
    """Two English words in a row are an untranslated text; names and codes are single words."""
    html = browser.get(address).content.decode()
    text = re.sub(r"<(script|svg|style).*?</\1>|<[^>]+>", " | ", html.split("<body")[1], flags=re.DOTALL)
    text = text.replace("Acme Billing", "").replace("English", "")
    assert re.findall(r"[A-Za-z]{2,} [A-Za-z]{2,}", text) == []


def test_russian_amounts_never_break_before_the_currency_sign(browser):
    html = browser.get("/ru/pricing/?currency=RUB").content.decode()
    assert "690,00\u00a0₽" in html
    assert not re.search(r"\d [₽€]", html)


def test_the_russian_checkout_is_in_russian(browser):
    assert heading(browser.get("/ru/checkout/standard/")) == "Оформление"


@pytest.mark.parametrize(
    ("page", "own", "on"),
    [
        ("/login/", "ru", "/ru/account/"),
        ("/login/", "en", "/account/"),
        ("/login/?next=/topup/%3Fcurrency%3DRUB", "ru", "/ru/topup/?currency=RUB"),
        ("/ru/login/", "en", "/ru/account/"),
    ],
)
def test_log_in_redirects_to_the_language_of_the_profile(client, alice, on_sale, page, own, on):
    """A log-in page with a language in its URL or without one redirects to the profile's language."""
    User.objects.filter(pk=alice.pk).update(language=own)
    form = hidden(client.get(page)) | {"login": "alice", "password": PASSWORD}
    assert client.post(page, form)["location"] == on


def test_sign_up_in_russian_sets_the_profile_language(client, db):
    sent = {"username": "boris", "email": "boris@example.com", "password1": "correct horse battery"}
    assert client.post("/ru/signup/", sent).status_code == 302
    assert User.objects.get().language == "ru"


def test_a_payment_is_named_in_the_readers_language(browser, alice, now):
    top_up = checkout.start(alice, now=now, amount=500_00, currency="RUB", gateway="sandbox")
    bought = checkout.start(alice, now=now, plan="standard", currency="RUB", gateway="sandbox")
    own = checkout.start(
        alice, now=now, amount=600_00, currency="RUB", gateway="sandbox", description="Standard"
    )  # fmt: skip
    for payment, english, russian in (
        (top_up, "Top-up", "Пополнение"), (bought, "Standard", "Стандартный"), (own, "Standard", "Standard"),
    ):  # fmt: skip
        assert f" {english} ₽" in words(browser.get(f"/pay/{payment.public_id}/"))
        assert f" {russian} {payment.amount // 100},00" in words(browser.get(f"/ru/pay/{payment.public_id}/"))
        assert f"({russian})" in words(browser.get("/ru/account/"))
    assert Payment.objects.count() == 3
