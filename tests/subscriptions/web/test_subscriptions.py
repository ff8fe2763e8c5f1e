from datetime import timedelta

import pytest

from subscriptions import catalogue, orders
from subscriptions.models import Subscription
from tests.subscriptions.shop import pay_in
from tests.web import address, heading, words


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
