from datetime import timedelta

import pytest

from subscriptions import orders, prices
from subscriptions.models import Subscription
from tests.pages.reading import heading, words
from tests.subscriptions.bank import balance
from tests.subscriptions.shop import pay_in


@pytest.fixture
def standard(alice, on_sale, now) -> Subscription:
    """Standard for 690.00, half of its month gone; 310.00 are left."""
    start = now - timedelta(days=15)
    pay_in(alice, 1000_00, at=start)
    return orders.subscribe(alice, prices.current("standard", "RUB"), now=start)


def address(subscription) -> str:
    return f"/account/subscriptions/{subscription.public_id}/"


def test_it_shows_state_price_and_charges(browser, standard):
    page = browser.get(address(standard))
    assert heading(page) == "Standard"
    assert "✓ Active" in words(page)
    assert "Price RUB\u00a0690.00 a month" in words(page)
    assert words(page).count("RUB\u00a0690.00") == 3  # what comes next, the price, the charge


def test_cancelling_says_what_each_way_does_in_numbers(browser, standard):
    page = words(browser.get(address(standard) + "cancel/"))
    assert "You keep it until" in page
    assert "goes back to your balance" in page
    # The unused half of 690.00; months are 28 to 31 days long, so it is 320 to 357.
    amount = page.split("The unused part, RUB\u00a0")[1].split(",")[0]
    assert 320 <= float(amount) <= 357


def test_cancelling_at_the_end_keeps_it_until_then(browser, standard, alice):
    answer = browser.post(address(standard) + "cancel/", {"when": "period_end"}, follow=True)
    assert answer.redirect_chain[0][0] == address(standard)
    assert "You cancelled it. It stays until" in words(answer)
    standard.refresh_from_db()
    assert (standard.status, standard.cancel_requested) == ("active", True)
    assert balance(alice) == 310_00


def test_cancelling_now_gives_the_unused_part_back(browser, standard, alice):
    browser.post(address(standard) + "cancel/", {"when": "now"})
    standard.refresh_from_db()
    assert standard.status == "cancelled"
    # 310.00 and 320 to 357 of 690.00
    assert 630_00 <= balance(alice) <= 667_00
    assert "given back" in words(browser.get(address(standard)))


def test_a_second_cancel_finds_it_cancelled(browser, standard):
    for _ in range(2):
        answer = browser.post(address(standard) + "cancel/", {"when": "now"})
        assert (answer.status_code, answer["location"]) == (303, address(standard))


def test_a_way_that_is_not_offered_is_an_error(browser, standard):
    answer = browser.post(address(standard) + "cancel/", {"when": "yesterday"})
    assert answer.status_code == 422
    assert "There is a problem" in words(answer)


def test_metered_use_stops_at_once_and_only_what_was_used_is_charged(browser, alice, on_sale, now):
    """2 hours at 1.50: 3.00 of 10.00."""
    start = now - timedelta(hours=2)
    pay_in(alice, 10_00, at=start)
    hourly = orders.subscribe(alice, prices.current("hourly", "RUB"), now=start)
    page = words(browser.get(address(hourly) + "cancel/"))
    assert "What was used up to this second is charged, nothing after it." in page
    browser.post(address(hourly) + "cancel/", {"when": "now"})
    assert balance(alice) in (7_00, 6_99)


def test_anothers_subscription_is_not_there(client, mallory, standard):
    client.force_login(mallory)
    for part in ("", "cancel/"):
        assert client.get(address(standard) + part).status_code == 404
    assert client.post(address(standard) + "cancel/", {"when": "now"}).status_code == 404
    standard.refresh_from_db()
    assert standard.status == "active"
