"""The start page says to visitors what is sold; every page has a description for search engines."""

import re

import pytest

from tests.web import heading, words

pytestmark = pytest.mark.django_db


def description(page) -> str:
    [text] = re.findall(r'<meta name="description" content="([^"]*)">', page.content.decode())
    return str(text)


def test_a_visitor_sees_what_is_sold_and_from_which_price(client, on_sale):
    page = client.get("/?currency=EUR")
    assert heading(page) == "Plans that fit, and sums that you can check"
    for plan, price in (("Basic", "€3.50 a month"), ("Premium", "€15.90 a month"), ("Pay as you go", "€0.02 an hour")):
        assert re.search(rf"{plan} .*?{price}", words(page))
    assert "From €3.50 a month." in words(page)
    assert 'href="/signup/"' in page.content.decode()
    assert words(page).count("For a small team that works every day.") == 1


def test_an_example_shows_an_account_with_the_popular_price(client, on_sale):
    """Four times 7.90 are 31.60; one month is paid, and 23.70 pay for three more."""
    said = words(client.get("/?currency=EUR"))
    assert "Balance, an example €23.70 Lasts for 4 months" in said
    assert "Standard 1 month −€7.90 Top-up With a card or from a bank +€31.60" in said


def test_it_is_in_the_readers_language_and_currency(client, on_sale):
    page = client.get("/ru/")
    assert heading(page) == "Подходящий тариф и суммы, которые можно проверить"
    assert "От 299,00\xa0₽ в месяц." in words(page)
    assert "Choose" not in words(page)


def test_the_seller_says_it_in_own_words(client, on_sale, settings):
    settings.SITE_HEADLINE, settings.SITE_DESCRIPTION_RU = "Servers & storage", "Серверы «по секундам»"
    assert heading(client.get("/")) == heading(client.get("/ru/")) == "Servers & storage"
    assert "Серверы «по секундам»" in words(client.get("/"))
    assert description(client.get("/ru/signup/")) == "Серверы «по секундам»"


def test_who_is_logged_in_sees_the_price_list(browser):
    assert heading(browser.get("/")) == "Plans and prices"


def test_an_unknown_currency_is_refused_and_no_plans_are_no_error(client, on_sale):
    assert client.get("/?currency=XXX").status_code == 404


def test_a_site_without_plans_has_a_start_page(client):
    page = client.get("/")
    assert page.status_code == 200
    assert "No plans yet" in words(page)
    assert "See prices" not in words(page)


@pytest.mark.parametrize("address", ["/", "/pricing/", "/signup/", "/login/", "/password/reset/", "/docs/errors/"])
def test_every_public_page_has_a_description_in_both_languages(client, on_sale, address):
    english, russian = description(client.get(address)), description(client.get("/ru" + address))
    assert 50 <= len(english) <= 160
    assert 50 <= len(russian) <= 160
    assert english.isascii()
    assert not russian.isascii()


def test_the_start_page_takes_few_queries(client, on_sale, django_assert_max_num_queries):
    with django_assert_max_num_queries(4):
        client.get("/")
