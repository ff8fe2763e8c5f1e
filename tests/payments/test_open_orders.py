"""A customer has one open payment for one purpose, and none for what has started or ended in another way."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from payments import amounts, cancellation, checkout, confirmation, open_orders, reconciliation
from payments.checkout import PaymentInProgress
from payments.gateways.sandbox.gateway import Sandbox
from payments.gateways.sandbox.models import SandboxSession
from payments.gateways.sessions import Session, SessionRequest
from payments.models import Payment
from subscriptions import billing_run, books, orders, overview
from subscriptions.models import Price, Subscription
from subscriptions.web import cards
from tests.payments.checkouts import start, top_up
from tests.payments.faulty_gateway import CARD
from tests.payments.rows import balance, events
from tests.subscriptions.shop import sell

pytestmark = pytest.mark.django_db


@pytest.fixture
def two_gateways(settings: Any) -> None:
    """A second gateway, `card`."""
    settings.PAYMENT_GATEWAYS = ["sandbox", "card"]
    settings.GATEWAY_CLASSES = settings.GATEWAY_CLASSES | {"card": CARD}


def only_order() -> Subscription:
    return Subscription.objects.select_related("customer", "price__plan").get()


# One purpose, one payment


def test_checkouts_left_unpaid_are_one_order_and_a_top_up_buys_nothing(
    alice: User, basic: Price, choose: Callable[..., Any]
) -> None:
    first = [start(alice, plan="basic", idempotency_key=f"tab-{n}") for n in range(3)]
    assert first[0] == first[1] == first[2]
    paid = start(alice, amount=1342_00, currency="RUB")
    choose(paid, "succeeds")
    confirmation.confirm(paid.pk, now=timezone.now())
    assert balance(alice) == 1342_00
    assert only_order().status == "pending"
    assert open_orders.open_payments().get() == first[0]


def test_a_top_up_leaves_an_order_waiting_whatever_the_balance(alice: User, basic: Price) -> None:
    top_up(alice, 1000_00)
    start(alice, plan="basic")
    top_up(alice, 100_00)
    assert (balance(alice), only_order().status) == (1100_00, "pending")


def test_top_ups_of_the_same_sum_are_one_payment(alice: User, mallory: User) -> None:
    first = start(alice, amount=500_00, currency="RUB")
    assert start(alice, amount=500_00, currency="RUB", description="again") == first
    assert start(alice, amount=501_00, currency="RUB") != first
    assert start(mallory, amount=500_00, currency="RUB") != first


@pytest.mark.parametrize("other", [{"quantity": 2}, {"periods": 2}, {"auto_renew": False}, {"plan": "dear"}])
def test_other_terms_are_another_order(alice: User, basic: Price, other: dict[str, Any]) -> None:
    sell("dear", RUB=1990_00)
    first = start(alice, plan="basic")
    second = start(alice, **{"plan": "basic"} | other)
    assert first.subscription != second.subscription


def test_a_payment_id_of_ones_own_does_not_open_a_second_payment(alice: User, basic: Price) -> None:
    first = start(alice, plan="basic")
    with pytest.raises(PaymentInProgress) as caught:
        start(alice, plan="basic", payment_id="order-2026-0001")
    assert caught.value.extra["payment_id"] == first.public_id


def test_an_order_that_was_changed_is_not_the_same_order(alice: User, basic: Price) -> None:
    dear = sell("dear", RUB=1990_00)["RUB"]
    first = start(alice, plan="basic")
    order = only_order()
    orders.change(order, now=timezone.now(), act=lambda book: book.change_plan(order, dear))
    second = start(alice, plan="basic")
    assert second.subscription != first.subscription
    assert (first.amount, second.amount) == (990_00, 990_00)


@pytest.mark.usefixtures("two_gateways")
def test_another_gateway_takes_the_order_over_after_the_first_page_is_closed(alice: User, basic: Price) -> None:
    first = start(alice, plan="basic", gateway="sandbox")
    second = start(alice, plan="basic", gateway="card")
    first.refresh_from_db()
    assert (first.status, events(first)) == ("cancelled", ["payment.cancelled"])
    assert SandboxSession.objects.get(session_id=first.gateway_id).status == "cancelled"
    assert (second.gateway, second.status, second.subscription) == ("card", "pending", first.subscription)
    assert second.opened_subscription
    assert only_order().status == "pending"
    # Without a choice it goes on where it is.
    assert start(alice, plan="basic") == second


@pytest.mark.usefixtures("two_gateways")
def test_a_first_page_that_was_paid_is_not_followed_by_a_second(
    alice: User, basic: Price, choose: Callable[..., Any]
) -> None:
    first = start(alice, plan="basic", gateway="sandbox")
    choose(first, "webhook_lost")
    assert start(alice, plan="basic", gateway="card") == first
    assert (only_order().status, Payment.objects.count()) == ("active", 1)


@pytest.mark.usefixtures("two_gateways")
def test_a_payment_that_the_bank_processes_is_not_moved(alice: User, basic: Price, choose: Callable[..., Any]) -> None:
    first = start(alice, plan="basic", gateway="sandbox")
    choose(first, "succeeds_late")
    with pytest.raises(PaymentInProgress):
        start(alice, plan="basic", gateway="card")
    assert Payment.objects.count() == 1


def test_an_expired_page_is_replaced(alice: User, basic: Price) -> None:
    first = start(alice, plan="basic")
    second = checkout.start(alice, now=first.expires_at, plan="basic")
    first.refresh_from_db()
    assert (first.status, second.status, second.subscription) == ("cancelled", "pending", first.subscription)


@pytest.mark.parametrize("outcome", ["insufficient_funds", "cancel"])
def test_the_same_order_again_goes_on_with_the_one_that_waits(
    alice: User, basic: Price, choose: Callable[..., Any], outcome: str
) -> None:
    first = start(alice, plan="basic")
    choose(first, outcome)
    confirmation.confirm(first.pk, now=timezone.now())
    second = start(alice, plan="basic")
    assert (second.pk != first.pk, second.subscription, second.amount) == (True, first.subscription, 990_00)
    choose(second, "succeeds")
    confirmation.confirm(second.pk, now=timezone.now())
    assert only_order().status == "active"
    # What has started is not ordered again by the next one.
    assert start(alice, plan="basic").subscription != first.subscription


def test_the_same_order_again_after_it_was_given_up_is_a_new_one(alice: User, basic: Price) -> None:
    first = start(alice, plan="basic")
    cancellation.cancel(first, now=timezone.now())
    assert start(alice, plan="basic").subscription != first.subscription


def test_an_order_whose_payment_expired_waits_its_days(alice: User, basic: Price, settings: Any) -> None:
    first = start(alice, plan="basic")
    reconciliation.check_all(now=first.expires_at)
    end = first.created_at + timedelta(days=settings.ORDER_DAYS)
    assert overview.peek(alice, "RUB", now=end - timedelta(seconds=1)).status_of(only_order()) == "pending"
    billing_run.run_due(now=end + timedelta(seconds=1), catch_up=True)
    assert only_order().status == "expired"


def test_a_debt_that_comes_meanwhile_replaces_the_payment(alice: User, basic: Price) -> None:
    first = start(alice, plan="basic")
    with books.open(alice, "RUB", now=timezone.now()) as book:
        book.lose_dispute(50_00, key="dispute:1")
    second = start(alice, plan="basic")
    assert (second.amount, second.subscription) == (1040_00, first.subscription)


# What waits for nothing has no open payment


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
    order = only_order()
    orders.change(order, now=timezone.now(), act=lambda book: book.cancel(order))
    close_ended(payment.created_at)
    payment.refresh_from_db()
    assert (payment.status, payment.check_at) == ("unknown", payment.created_at + timedelta(seconds=30))
    assert reconciliation.check_all(now=payment.created_at + timedelta(seconds=10)) == 0


def test_money_for_an_ended_order_is_the_customers(alice: User, basic: Price, choose: Callable[..., Any]) -> None:
    payment = start(alice, plan="basic")
    order = only_order()
    orders.change(order, now=timezone.now(), act=lambda book: book.cancel(order))
    choose(payment, "webhook_lost")
    close_ended(timezone.now())
    payment.refresh_from_db()
    assert (payment.status, balance(alice), only_order().status) == ("confirmed", 990_00, "cancelled")


def cancel_order() -> None:
    order = only_order()
    orders.change(order, now=timezone.now(), act=lambda book: book.cancel(order))


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
    with pytest.raises(amounts.NotWaitingForMoney):
        start(alice, plan="basic")
    payment = Payment.objects.get()
    assert payment.confirmation_url == ""
    reconciliation.check_all(now=timezone.now())
    payment.refresh_from_db()
    assert payment.status == "cancelled"
    assert set(SandboxSession.objects.values_list("status", flat=True)) <= {"cancelled"}


# The page and the API ask for the same


def test_an_order_changed_before_its_payment_came_asks_for_the_rest(
    api: APIClient, alice: User, choose: Callable[..., Any]
) -> None:
    """Basic is 299.00 and Standard 690.00: after 299.00 has been paid, 391.00 are left."""
    sell("basic", RUB=299_00)
    standard = sell("standard", RUB=690_00)["RUB"]
    paid = start(alice, plan="basic")
    order = only_order()
    orders.change(order, now=timezone.now(), act=lambda book: book.change_plan(order, standard))
    choose(paid, "succeeds")
    confirmation.confirm(paid.pk, now=timezone.now())
    assert (balance(alice), only_order().status) == (299_00, "pending")
    assert cards.one(only_order(), now=timezone.now()).missing.amount == 391_00
    body = {"subscription": order.public_id}
    made = api.post("/api/payments/create-checkout-session", body).json()
    assert made["amount"] == {"value": "391.00", "currency": "RUB"}
    rest = Payment.objects.get(public_id=made["id"])
    choose(rest, "succeeds")
    confirmation.confirm(rest.pk, now=timezone.now())
    assert (balance(alice), only_order().status) == (0, "active")
    assert overview.peek(alice, "RUB", now=timezone.now()).available == 0
