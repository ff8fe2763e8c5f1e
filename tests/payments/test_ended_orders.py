"""What waits for no money has no open payment: the page of an ended or started order is closed."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from payments import amounts, checkout, reconciliation
from payments.gateways.sandbox.gateway import Sandbox
from payments.gateways.sandbox.models import SandboxSession
from payments.gateways.sessions import Session, SessionRequest
from payments.models import Payment
from subscriptions import billing_run, books, orders
from subscriptions.models import Price
from tests.payments.checkouts import start, top_up
from tests.payments.rows import balance
from tests.payments.waiting_order import cancel_order, only_order

pytestmark = pytest.mark.django_db


def close_ended(now: datetime) -> None:
    assert reconciliation.check_all(now=now) == 1


def test_cancelling_the_order_closes_its_page(api: APIClient, basic: Price) -> None:
    made = api.post("/api/payments/create-checkout-session", {"plan": "basic"}).json()
    assert api.delete(f"/api/subscriptions/{made['subscription']}").json()["status"] == "cancelled"
    close_ended(timezone.now())
    assert api.get(f"/api/payments/{made['id']}").json()["status"] == "cancelled"
    assert SandboxSession.objects.get().status == "cancelled"


@pytest.mark.django_db(transaction=True)
def test_the_worker_is_told_at_once(api: APIClient, basic: Price, monkeypatch: pytest.MonkeyPatch) -> None:
    told = []
    monkeypatch.setattr("payments.tasks.reconcile.delay", lambda: told.append("reconcile"))
    made = api.post("/api/payments/create-checkout-session", {"plan": "basic"}).json()
    api.post(f"/api/subscriptions/{made['subscription']}/cancel", {})
    payment = Payment.objects.get()
    assert told == ["reconcile"]
    assert payment.closing_at is not None
    assert payment.check_at == payment.closing_at


def test_an_order_that_expires_has_its_page_closed(
    alice: User, basic: Price, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PAYMENT_EXPIRES_AFTER = timedelta(days=30)
    monkeypatch.setattr("payments.gateways.sandbox.gateway.LONGEST_PAGE", timedelta(days=30))
    payment = start(alice, plan="basic")
    later = payment.created_at + timedelta(days=14)
    billing_run.run_due(now=later, catch_up=True)
    assert only_order().status == "expired"
    close_ended(later)
    payment.refresh_from_db()
    assert payment.status == "cancelled"


def test_an_order_revived_by_other_money_has_its_page_closed(alice: User, basic: Price) -> None:
    now = timezone.now()
    top_up(alice, 990_00)
    row = orders.subscribe(alice, basic, now=now)
    later = now + timedelta(days=40)
    billing_run.run_due(now=later, catch_up=True)
    row.refresh_from_db()
    payment = checkout.start(alice, now=later, subscription=row)
    with books.open(alice, "RUB", now=later) as book:
        book.top_up(990_00, key="test:2", source="gateway_clearing:sandbox")
    assert only_order().status == "active"
    close_ended(later)
    payment.refresh_from_db()
    assert payment.status == "cancelled"


def test_a_page_that_cannot_be_closed_is_tried_again_later(
    alice: User, basic: Price, choose: Callable[..., Any]
) -> None:
    payment = start(alice, plan="basic")
    choose(payment, "times_out")
    SandboxSession.objects.update(unreachable_until=payment.created_at + timedelta(minutes=5))
    cancel_order()
    close_ended(payment.created_at)
    payment.refresh_from_db()
    assert (payment.status, payment.check_at) == ("unknown", payment.created_at + timedelta(seconds=30))
    assert reconciliation.check_all(now=payment.created_at + timedelta(seconds=10)) == 0


def test_money_for_an_ended_order_is_the_customers(alice: User, basic: Price, choose: Callable[..., Any]) -> None:
    payment = start(alice, plan="basic")
    cancel_order()
    choose(payment, "webhook_lost")
    close_ended(timezone.now())
    payment.refresh_from_db()
    assert (payment.status, balance(alice), only_order().status) == ("confirmed", 990_00, "cancelled")


@pytest.mark.parametrize("moment", ["before", "after"])
def test_there_is_no_page_for_an_order_cancelled_while_it_opens(
    alice: User, basic: Price, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """The order is cancelled in another tab before the gateway is called, or while it opens the page."""
    create, insert = Sandbox.create_session, checkout._insert

    def cancelled_first(*args: Any, **named: Any) -> Payment:
        payment = insert(*args, **named)
        cancel_order()
        return payment

    def cancelled_meanwhile(gateway: Sandbox, request: SessionRequest) -> Session:
        session = create(gateway, request)
        cancel_order()
        return session

    if moment == "before":
        monkeypatch.setattr(checkout, "_insert", cancelled_first)
    else:
        monkeypatch.setattr(Sandbox, "create_session", cancelled_meanwhile)
    with pytest.raises(amounts.NotWaitingForMoney) as refused:
        start(alice, plan="basic")
    assert refused.value.extra == {"state": "cancelled"}
    payment = Payment.objects.get()
    assert payment.confirmation_url == ""
    reconciliation.check_all(now=timezone.now())
    payment.refresh_from_db()
    assert payment.status == "cancelled"
    assert set(SandboxSession.objects.values_list("status", flat=True)) <= {"cancelled"}
