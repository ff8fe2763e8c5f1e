import re
from collections.abc import Iterator

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import LocalePrefixPattern

from payments import cancellation, checkout
from subscriptions import catalogue, orders
from tests.subscriptions.bank import at
from tests.subscriptions.shop import pay_in
from tests.web import SPACES, bought, words

FOR_EVER = {"": {"brand.css": "public, max-age=31536000, immutable"}, "ru/": {}}


def head(answer) -> str:
    """Return the words of the link to the top-up page in the head of a page."""
    [link] = re.findall(r'<a class="chip.*?</a>', answer.content.decode().split("<main")[0], re.DOTALL)
    return SPACES.sub(" ", re.sub(r"<[^>]+>", "", link)).strip()


def test_the_head_of_every_page_shows_what_is_left_to_spend(browser, alice, now):
    assert head(browser.get("/account/")) == head(browser.get("/account/settings/")) == "Top up"
    pay_in(alice, 68_40, "EUR", at=now)
    for page in ("/account/", "/account/transactions/", "/account/settings/", "/pricing/", "/topup/"):
        assert head(browser.get(page)) == "Top up. Available: €68.40", page


def test_the_head_agrees_with_the_overview_while_use_is_not_charged_yet(clock, alice, on_sale):
    """60.00 at 1.50 an hour. Ten hours and the kopeck that has just begun are used, and nothing is posted."""
    bought(alice, "hourly", paid_in=60_00)
    clock.move_to(at(hours=10))
    client = Client()
    client.force_login(alice)
    answer = client.get("/account/")
    assert "₽44.99 available" in words(answer)
    assert head(answer) == head(client.get("/account/settings/")) == "Top up. Available: ₽44.99"


def test_an_empty_balance_is_named_only_alone(browser, alice, now):
    pay_in(alice, 690_00, at=now)
    orders.subscribe(alice, catalogue.current("standard", "RUB"), now=now)
    assert head(browser.get("/account/settings/")) == "Top up. Available: ₽0.00"
    pay_in(alice, 12_00, "EUR", at=now)
    assert head(browser.get("/account/settings/")) == "Top up. Available: €12.00"


def test_two_balances_fit_in_the_head_and_three_do_not(browser, alice, now):
    for currency, text in (("EUR", "€12.00"), ("RUB", "€12.00· ₽12.00"), ("USD", "")):
        pay_in(alice, 12_00, currency, at=now)
        expected = f"Top up. Available: {text}" if text else "Top up"
        assert head(browser.get("/account/settings/")) == head(browser.get("/account/")) == expected


def test_another_customers_balance_is_not_shown(browser, mallory, now):
    pay_in(mallory, 12_00, at=now)
    assert head(browser.get("/account/settings/")) == "Top up"


def test_a_page_that_waits_for_a_payment_shows_no_balance_that_is_about_to_change(browser, alice, now):
    pay_in(alice, 12_00, at=now)
    payment = checkout.start(alice, now=now, plan="standard", currency="RUB", gateway="sandbox")
    answer = browser.get(f"/pay/{payment.public_id}/")
    assert "data-poll" in answer.content.decode()
    assert head(answer) == "Top up"
    cancellation.cancel(payment, now=now)
    answer = browser.get(f"/pay/{payment.public_id}/")
    assert "data-poll" not in answer.content.decode()
    assert head(answer) == "Top up. Available: ₽12.00"


def test_no_balance_is_read_for_a_page_of_an_error(browser, alice, now):
    pay_in(alice, 12_00, at=now)
    with CaptureQueriesContext(connection) as queries:
        answer = browser.get("/nothing-here/")
    assert (answer.status_code, head(answer)) == (404, "Top up")
    assert not [each["sql"] for each in queries if "ledger" in each["sql"]]


@pytest.mark.parametrize("prefix", ["", "ru/"])
def test_what_a_signed_in_reader_gets_is_kept_in_no_cache(browser, alice, now, prefix):
    """Every address without parameters, its errors and files too, but what says itself how long it may be kept."""
    pay_in(alice, 12_00, at=now)
    addresses = {str(pattern.pattern) for pattern in pages(get_resolver().url_patterns)}
    kept = {}
    for address in sorted(each for each in addresses if "<" not in each):
        answer = browser.get(f"/{prefix}{address}")
        if "no-store" not in answer.get("Cache-Control", ""):
            kept[address] = answer.get("Cache-Control")
    assert kept == FOR_EVER[prefix]
    assert len(addresses) > 30


def pages(patterns: list[URLPattern | URLResolver]) -> Iterator[URLPattern]:
    """Yield the patterns of the site's pages, which are not below a path of their own."""
    for each in patterns:
        if isinstance(each, URLPattern):
            yield each
        elif isinstance(each.pattern, LocalePrefixPattern) or not str(each.pattern):
            yield from pages(each.url_patterns)
