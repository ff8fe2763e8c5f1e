from datetime import timedelta

import pytest

from subscriptions import catalogue, orders
from subscriptions.models import Subscription
from tests.subscriptions.shop import pay_in
from tests.web import HALF, address, bought, heading, words


@pytest.fixture
def standard(alice, on_sale, now) -> Subscription:
    """Standard for 690.00, in the middle of its month; 310.00 are left."""
    start = now - timedelta(days=15)
    pay_in(alice, 1000_00, at=start)
    return orders.subscribe(alice, catalogue.current("standard", "RUB"), now=start)


def test_the_page_shows_state_price_and_charges(browser, standard):
    page = browser.get(address(standard))
    assert heading(page) == "Standard"
    assert "Active" in words(page)
    assert "Price ₽690.00 a month" in words(page)
    assert words(page).count("₽690.00") == 3  # the next payment, the price, the charge


def test_another_customers_subscription_is_not_found(client, mallory, standard):
    client.force_login(mallory)
    assert client.get(address(standard)).status_code == 404


def test_a_paid_period_is_drawn(browser, clock, alice, on_sale):
    """From 1 March to 1 April, of which half is over."""
    row = bought(alice, "standard", paid_in=690_00)
    clock.move_to(HALF)
    browser.force_login(alice)
    page = browser.get(address(row)).content.decode()
    assert 'aria-label="Paid from 1 March 2026 to 1 April 2026"' in page
    assert '<rect class="f" y="8" width="50.0%"' in page
    for text in ("1\xa0Mar", "Today", "1\xa0Apr"):
        assert f">{text}</text>" in page


def test_metered_use_has_no_period_to_draw(browser, clock, alice, on_sale):
    row = bought(alice, "hourly", paid_in=690_00)
    assert '<svg class="run"' not in browser.get(address(row)).content.decode()
