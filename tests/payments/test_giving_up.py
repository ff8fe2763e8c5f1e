"""Payments at a gateway that cannot close its pages: the customer goes on all the same, and late money is credited."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from payments import cancellation, checkout, confirmation, reconciliation
from payments.models import Payment
from subscriptions import overview
from subscriptions.models import Price
from tests.payments import faulty_gateway
from tests.payments.api.calls import CANCEL, problem
from tests.payments.checkouts import start, top_up
from tests.payments.rows import balance

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _two_gateways(settings: Any) -> None:
    settings.GATEWAY_CLASSES = settings.GATEWAY_CLASSES | {"unclosing": faulty_gateway.UNCLOSING}
    settings.PAYMENT_GATEWAYS = ["unclosing", "sandbox"]


def status_of(payment: Payment) -> str:
    assert payment.subscription is not None
    payment.subscription.refresh_from_db()
    view = overview.peek(payment.customer, "RUB", now=timezone.now())
    return str(view.status_of(payment.subscription))


def pay_late(payment: Payment, choose: Callable[..., Any]) -> Payment:
    choose(payment, "webhook_lost")
    return confirmation.confirm(payment.pk, now=timezone.now())


def test_another_gateway_can_be_chosen_while_the_first_page_is_open(alice: User, basic: Price) -> None:
    first = start(alice, plan="basic")
    second = start(alice, plan="basic", gateway="sandbox")
    first.refresh_from_db()
    assert (first.status, first.confirmation_url, second.gateway) == ("pending", "", "sandbox")
    assert first.closing_at is not None
    assert second.subscription == first.subscription
    assert start(alice, plan="basic", gateway="sandbox") == second


def test_both_payments_are_credited_if_both_are_paid(alice: User, basic: Price, choose: Callable[..., Any]) -> None:
    first = start(alice, plan="basic")
    second = pay_late(start(alice, plan="basic", gateway="sandbox"), choose)
    assert (second.status, status_of(second), balance(alice)) == ("confirmed", "active", 0)
    assert pay_late(first, choose).status == "confirmed"
    assert (status_of(first), balance(alice)) == ("active", 990_00)


def test_a_cancelled_payment_ends_its_order_and_late_money_goes_to_the_wallet(
    alice: User, basic: Price, choose: Callable[..., Any]
) -> None:
    payment = cancellation.cancel(start(alice, plan="basic"), now=timezone.now())
    assert (payment.status, status_of(payment)) == ("pending", "cancelled")
    assert payment.closing_at is not None
    assert pay_late(payment, choose).status == "confirmed"
    assert (status_of(payment), balance(alice)) == ("cancelled", 990_00)


def test_cancelling_the_second_payment_ends_the_order_too(alice: User, basic: Price) -> None:
    first = start(alice, plan="basic")
    second = start(alice, plan="basic", gateway="sandbox")
    cancellation.cancel(second, now=timezone.now())
    assert status_of(first) == "cancelled"


def test_a_page_that_has_ended_by_itself_expires_the_payment(alice: User) -> None:
    payment = cancellation.cancel(start(alice, amount=500_00, currency="RUB"), now=timezone.now())
    ended = reconciliation.expire(payment, now=payment.expires_at)
    assert ended.status in ("pending", "expired")
    assert start(alice, amount=500_00, currency="RUB") != payment


def test_the_balance_pays_while_the_page_is_open(alice: User, basic: Price) -> None:
    payment = start(alice, plan="basic")
    top_up(alice, 990_00)
    assert payment.subscription is not None
    assert checkout.pay_from_wallet(payment.subscription, now=timezone.now()).status == "active"
    payment.refresh_from_db()
    assert payment.closing_at is not None


def test_the_api_says_that_the_page_ends_by_itself(api: APIClient, basic: Price) -> None:
    made = api.post("/api/payments/create-checkout-session", {"plan": "basic"}).json()
    assert made["closing"] is False
    answer = api.post(CANCEL, {"payment_id": made["id"]})
    body = answer.json()
    assert (answer.status_code, body["status"], body["closing"], body["confirmation_url"]) == (200, "pending", True, "")
    assert api.get(f"/api/subscriptions/{made['subscription']}").json()["status"] == "cancelled"


def test_a_payment_that_the_bank_is_processing_is_not_given_up(
    api: APIClient, alice: User, choose: Callable[..., Any]
) -> None:
    payment = start(alice, amount=500_00, currency="RUB")
    choose(payment, "succeeds_late")
    assert problem(api.post(CANCEL, {"payment_id": payment.public_id}))[:2] == (409, "payment_not_pending")
    payment.refresh_from_db()
    assert payment.closing_at is None
