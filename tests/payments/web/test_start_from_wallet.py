"""Starting a pending subscription from the balance while its payment is still open."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from payments import checkout, reconciliation
from payments.gateways.errors import GatewayError
from payments.gateways.sandbox.gateway import Sandbox
from payments.gateways.sandbox.models import SandboxSession
from payments.models import Payment
from subscriptions.books import OpenBook
from subscriptions.models import Subscription
from tests.subscriptions.shop import pay_in, wallet
from tests.web import words


def unpaid_order(customer: User, balance: int, *, now: datetime) -> Payment:
    """Return the open payment of an order of two Standards for a month, 1380.00, without automatic renewal."""
    pay_in(customer, balance, at=now)
    return checkout.start(
        customer, now=now, plan="standard", currency="RUB", quantity=2, auto_renew=False, gateway="sandbox"
    )


def subscription_of(payment: Payment) -> Subscription:
    """Return the subscription of the payment, reloaded."""
    return Subscription.objects.get(payments=payment)


def address(payment: Payment) -> str:
    return f"/account/subscriptions/{subscription_of(payment).public_id}/"


def test_a_sufficient_balance_starts_the_subscription_on_the_same_terms(browser, alice, now):
    waiting = unpaid_order(alice, 2000_00, now=now)
    assert "Pay ₽1,380.00 from my balance Pay ₽1,380.00" in words(browser.get(address(waiting)))
    answer = browser.post(address(waiting) + "start/")
    assert (answer.status_code, answer["location"]) == (303, address(waiting))
    started = Subscription.objects.get()
    assert (started.status, started.quantity, started.periods, started.auto_renew) == ("active", 2, 1, False)
    # 2000.00 - 1380.00, and the payment can no longer be paid.
    assert wallet(alice, "RUB").balance == 620_00
    waiting.refresh_from_db()
    assert waiting.status == SandboxSession.objects.get().status == "cancelled"
    page = words(browser.get(answer["location"]))
    assert "Standard has started. ₽1,380.00 is paid from your balance. Your balance is now ₽620.00. " in page
    assert "What happens next Paid until" in page
    again = browser.post(address(waiting) + "start/")
    assert again["location"] == address(waiting)
    assert wallet(alice, "RUB").balance == 620_00


def test_an_insufficient_balance_starts_nothing_and_keeps_the_payment(browser, alice, now):
    waiting = unpaid_order(alice, 1379_99, now=now)
    assert "from my balance" not in words(browser.get(address(waiting)))
    answer = browser.post(address(waiting) + "start/")
    assert "You need ₽0.01 more on your balance for this." in words(browser.get(answer["location"]))
    waiting.refresh_from_db()
    assert (waiting.status, subscription_of(waiting).status) == ("pending", "pending")
    assert Subscription.objects.count() == 1


def test_it_starts_without_an_answer_from_the_gateway_and_the_page_is_closed_later(browser, alice, now, monkeypatch):
    waiting = unpaid_order(alice, 2000_00, now=now)

    def silence(*_args: Any) -> Any:
        raise GatewayError("No answer.", permanent=False, code="timeout")

    with monkeypatch.context() as patch:
        patch.setattr(Sandbox, "cancel", silence)
        browser.post(address(waiting) + "start/")
    waiting.refresh_from_db()
    assert (waiting.status, wallet(alice, "RUB").balance) == ("unknown", 620_00)
    reconciliation.check_all(now=now + timedelta(minutes=1))
    waiting.refresh_from_db()
    assert waiting.status == SandboxSession.objects.get().status == "cancelled"
    assert subscription_of(waiting).status == "active"


def die(*_args: Any, **_named: Any) -> Any:
    """Stand in for what the process does not live to do."""
    raise SystemExit


def test_a_start_that_dies_before_it_closes_the_payment_loses_nothing(alice, on_sale, now, monkeypatch):
    waiting = unpaid_order(alice, 2000_00, now=now)

    with monkeypatch.context() as patch:
        patch.setattr(Sandbox, "cancel", die)
        with pytest.raises(SystemExit):
            checkout.pay_from_wallet(subscription_of(waiting), now=now)
    assert (subscription_of(waiting).status, wallet(alice, "RUB").balance) == ("active", 620_00)
    reconciliation.check_all(now=now + timedelta(minutes=3))
    waiting.refresh_from_db()
    assert waiting.status == "cancelled"


def test_a_start_that_dies_at_once_is_done_by_the_next_one(alice, on_sale, now, monkeypatch):
    waiting = unpaid_order(alice, 2000_00, now=now)

    with monkeypatch.context() as patch:
        patch.setattr(OpenBook, "start", die)
        with pytest.raises(SystemExit):
            checkout.pay_from_wallet(subscription_of(waiting), now=now)
    waiting.refresh_from_db()
    assert (waiting.status, subscription_of(waiting).status) == ("pending", "pending")
    checkout.pay_from_wallet(subscription_of(waiting), now=now)
    waiting.refresh_from_db()
    assert (waiting.status, subscription_of(waiting).status) == ("cancelled", "active")


def test_another_customers_subscription_cannot_be_started(alice, mallory, on_sale, now):
    waiting = unpaid_order(alice, 2000_00, now=now)
    stranger = Client()
    stranger.force_login(mallory)
    assert stranger.post(address(waiting) + "start/").status_code == 404
