"""Pages show times in the customer's time zone; the API always in UTC."""

import pytest

from accounts.models import User
from payments import checkout
from payments.models import Payment
from tests.conftest import PASSWORD
from tests.subscriptions.bank import NOON
from tests.web import words


@pytest.fixture
def payment(clock, alice, on_sale) -> Payment:
    """Alice began to pay at noon UTC of 1 March 2026."""
    return checkout.start(alice, now=NOON, amount=500_00, currency="RUB", gateway="sandbox")


@pytest.mark.parametrize(
    ("zone", "shown"),
    [("", "1 March 2026, 12:00\u00a0UTC"), ("Europe/Moscow", "15:00\u00a0MSK"), ("Asia/Vladivostok", "22:00\u00a0+10")],
)
def test_pages_are_in_the_customers_zone(payment, alice, browser, zone, shown):
    User.objects.filter(pk=alice.pk).update(time_zone=zone)
    assert shown in words(browser.get(f"/pay/{payment.public_id}/"))


def test_a_page_of_nobody_is_in_the_zone_of_the_site(client, settings, payment, alice, browser):
    settings.TIME_ZONE = "Europe/Moscow"
    assert "15:00\u00a0MSK" in words(browser.get(f"/pay/{payment.public_id}/"))
    assert client.get("/pricing/").status_code == 200


def test_the_api_is_in_utc_whatever_the_zone(payment, alice, browser, settings):
    settings.TIME_ZONE = "Europe/Moscow"
    User.objects.filter(pk=alice.pk).update(time_zone="Asia/Vladivostok")
    token = browser.post("/api/auth/token", {"username": "alice", "password": PASSWORD}, "application/json").json()
    headers = {"authorization": f"Bearer {token['access']}"}
    shown = browser.get(f"/api/payments/{payment.public_id}", headers=headers).json()
    assert shown["created_at"] == "2026-03-01T12:00:00Z"
