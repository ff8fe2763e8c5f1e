import re

import pytest

from tests.pages.reading import heading


def test_the_switch_keeps_path_and_query(client, on_sale):
    english = client.get("/pricing/?currency=EUR").content.decode()
    assert 'href="/ru/pricing/?currency=EUR" lang="ru"' in english
    russian = client.get("/ru/pricing/?currency=EUR").content.decode()
    assert 'href="/pricing/?currency=EUR" lang="en"' in russian
    assert '<html lang="ru">' in russian


def test_settings_change_the_language_that_mails_are_written_in(browser, alice):
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
def test_a_russian_page_has_no_english_sentence_in_it(browser, address):
    """Two English words in a row are a string nobody translated; names and codes stand alone."""
    html = browser.get(address).content.decode()
    text = re.sub(r"<(script|svg|style).*?</\1>|<[^>]+>", " | ", html.split("<body")[1], flags=re.DOTALL)
    text = text.replace("Acme Billing", "").replace("English", "")
    assert re.findall(r"[A-Za-z]{2,} [A-Za-z]{2,}", text) == []


def test_russian_amounts_never_break_before_the_sign(browser):
    html = browser.get("/ru/pricing/?currency=RUB").content.decode()
    assert "690,00\u00a0₽" in html
    assert not re.search(r"\d [₽€]", html)


def test_a_russian_checkout_sends_on_to_russian_pages(browser):
    assert heading(browser.get("/ru/checkout/standard/")) == "Оформление"
