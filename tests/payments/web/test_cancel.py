"""The cancel page offers a refund to the card where a payment by card can take it."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from payments import confirmation
from payments.models import Refund
from subscriptions.models import Subscription
from tests.payments.checkouts import start
from tests.payments.rows import balance
from tests.web import address, bought, hidden, words


@pytest.fixture
def by_card(alice: User, on_sale: None, client: Client) -> Subscription:
    """Standard for 690.00 roubles, bought by card this moment."""
    payment = start(alice, plan="standard", currency="RUB")
    client.post(f"/sandbox/pay/{payment.gateway_id}/", {"outcome": "succeeds"})
    payment = confirmation.confirm(payment.pk, now=timezone.now())
    assert payment.subscription is not None
    return payment.subscription


def send(browser: Client, row: Subscription, **choice: str) -> Any:
    page = browser.get(address(row, "cancel/"))
    return browser.post(address(row, "cancel/"), {**hidden(page), **choice}, follow=True)


def test_a_refund_goes_to_the_card_if_the_customer_chooses_it(
    browser: Client, by_card: Subscription, alice: User
) -> None:
    assert "To the card or account I paid from" in words(browser.get(address(by_card, "cancel/")))
    page = send(browser, by_card, when="now", destination="card")
    assert "to your card. It can take up to 10 days." in page.content.decode()
    assert Refund.objects.get().amount > 689_00
    assert balance(alice) == 0


@pytest.mark.parametrize("choice", [{"destination": "balance"}, {}])
def test_the_balance_is_the_default(
    browser: Client, by_card: Subscription, alice: User, choice: dict[str, str]
) -> None:
    send(browser, by_card, when="now", **choice)
    assert not Refund.objects.exists()
    assert balance(alice) > 689_00


def test_nothing_is_refunded_at_the_end_of_the_period(browser: Client, by_card: Subscription) -> None:
    send(browser, by_card, when="period_end", destination="card")
    assert not Refund.objects.exists()


def test_the_card_is_not_offered_if_no_payment_can_take_it(browser: Client, alice: User) -> None:
    row = bought(alice, "standard", paid_in=1000_00, when=timezone.now())
    assert "To the card or account I paid from" not in words(browser.get(address(row, "cancel/")))
    send(browser, row, when="now", destination="card")
    assert not Refund.objects.exists()
