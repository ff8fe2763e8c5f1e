"""A repeated form or checkout of the same subscription gives one payment or an error, never another payment."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from core.idempotency import KeyReused
from payments import amounts, cancellation, checkout, confirmation
from payments.checkout import PaymentInProgress
from payments.gateways.sandbox.models import SandboxSession
from payments.models import Payment
from payments.payment_ids import DuplicatePayment, InvalidPaymentId
from subscriptions import billing_run, books, orders
from subscriptions.models import Price, Subscription
from tests.payments.checkouts import start, top_up
from tests.payments.faulty_gateway import Unsteady
from tests.subscriptions.shop import client


def test_the_same_form_sent_twice_makes_one_payment(alice: User, basic: Price) -> None:
    first = start(alice, plan="basic", idempotency_key="form-1")
    assert start(alice, plan="basic", idempotency_key="form-1") == first
    assert Subscription.objects.count() == SandboxSession.objects.count() == 1


TERMS = {"plan": "basic", "currency": "RUB", "quantity": 2, "periods": 3, "auto_renew": True, "gateway": "sandbox"}


@pytest.mark.parametrize(
    "other",
    [
        {"plan": "dear"}, {"currency": "EUR"}, {"quantity": 1}, {"periods": 1}, {"auto_renew": False},
        {"gateway": None}, {"amount": 5940_01}, {"description": "other"}, {"payment_id": "order-2026-0001"},
        {"plan": None},
        {"plan": None, "quantity": 1, "periods": 1, "amount": 5940_00},
    ],
)  # fmt: skip
def test_a_form_key_with_other_terms_is_refused(alice: User, basic: Price, other: dict[str, Any]) -> None:
    first = start(alice, **TERMS, idempotency_key="form-1")
    with pytest.raises(KeyReused):
        start(alice, **TERMS | other, idempotency_key="form-1")
    # Later changes of the subscription and the optional amount do not make it another request.
    Subscription.objects.update(auto_renew=False)
    assert start(alice, **TERMS, amount=5940_00, idempotency_key="form-1") == first
    assert Payment.objects.count() == 1


def test_a_form_key_with_another_subscription_is_refused(alice: User, basic: Price) -> None:
    with books.open(alice, "RUB", now=timezone.now()) as book:
        one, two = book.subscribe(basic), book.subscribe(basic)
    first = start(alice, subscription=one, idempotency_key="form-1")
    with pytest.raises(KeyReused):
        start(alice, subscription=two, idempotency_key="form-1")
    assert start(alice, subscription=one, idempotency_key="form-1") == first


def test_a_form_key_with_another_top_up_is_refused(alice: User) -> None:
    first = start(alice, amount=100_00, currency="RUB", idempotency_key="form-1")
    for other in ({"amount": 900_00, "currency": "RUB"}, {"amount": 100_00, "currency": "EUR"}):
        with pytest.raises(KeyReused):
            start(alice, **other, idempotency_key="form-1")
    assert start(alice, amount=100_00, currency="RUB", idempotency_key="form-1") == first


def test_a_form_key_does_not_find_another_customers_payment(alice: User, mallory: User, basic: Price) -> None:
    first = start(alice, plan="basic", idempotency_key="form-1")
    assert start(mallory, plan="basic", idempotency_key="form-1") != first


def test_a_payment_id_that_the_customer_has_used_is_refused(alice: User) -> None:
    payment = start(alice, amount=100_00, currency="RUB", payment_id="order-2026-0001")
    assert payment.reference == "order-2026-0001"
    for taken in ("order-2026-0001", payment.public_id):
        with pytest.raises(DuplicatePayment):
            start(alice, amount=100_00, currency="RUB", payment_id=taken)


def test_a_payment_id_of_another_customer_is_free(alice: User, mallory: User) -> None:
    payment = start(alice, amount=100_00, currency="RUB", payment_id="order-2026-0001")
    for free in ("order-2026-0001", payment.public_id):
        assert start(mallory, amount=100_00, currency="RUB", payment_id=free, description=free).reference == free
        cancellation.cancel(Payment.objects.get(customer=mallory, status="pending"), now=timezone.now())


@pytest.mark.parametrize(
    "bad", ["short1", "x" * 39 + "12", "with space 1", "-leading-1", "confirm-payment", "naïve-0001"]
)
def test_a_malformed_payment_id_is_refused(alice: User, bad: str) -> None:
    with pytest.raises(InvalidPaymentId):
        start(alice, amount=100_00, currency="RUB", payment_id=bad)


def test_a_suspended_subscription_costs_what_the_wallet_lacks(alice: User, basic: Price) -> None:
    top_up(alice, 990_00)
    now = timezone.now()
    with books.open(alice, "RUB", now=now) as book:
        subscription = book.subscribe(basic)
    top_up(alice, 400_00)
    later = now + timedelta(days=40)
    billing_run.run_due(now=later, catch_up=True)
    subscription.refresh_from_db()
    assert subscription.status == "suspended"
    payment = checkout.start(alice, now=later, subscription=subscription)
    # 990.00 due - 400.00 in the wallet = 590.00
    assert payment.amount == 590_00
    assert not payment.opened_subscription


def test_a_running_subscription_cannot_be_paid_for(alice: User, basic: Price) -> None:
    top_up(alice, 990_00)
    with books.open(alice, "RUB", now=timezone.now()) as book:
        subscription = book.subscribe(basic)
    with pytest.raises(amounts.NotWaitingForMoney) as caught:
        start(alice, subscription=subscription)
    assert caught.value.extra["state"] == "active"


def test_a_pending_subscription_continues_its_open_payment(alice: User, basic: Price) -> None:
    first = start(alice, plan="basic")
    assert start(alice, subscription=first.subscription) == first


def test_a_payment_without_an_answer_is_continued_and_blocks_a_second_one(
    alice: User, basic: Price, unsteady: type[Unsteady]
) -> None:
    first = start(alice, plan="basic")
    unsteady.fetch_breaks = 1
    confirmation.confirm(first.pk, now=timezone.now())
    assert start(alice, subscription=first.subscription) == first
    with pytest.raises(PaymentInProgress) as caught:
        start(alice, subscription=first.subscription, payment_id="order-2026-0002")
    assert caught.value.extra == {"payment_id": first.public_id, "state": "unknown"}


def test_an_older_subscription_can_be_paid_after_its_payment_was_cancelled(alice: User, basic: Price) -> None:
    with books.open(alice, "RUB", now=timezone.now()) as book:
        subscription = book.subscribe(basic)
    first = start(alice, subscription=subscription)
    cancellation.cancel(first, now=timezone.now())
    subscription.refresh_from_db()
    # The checkout did not create the subscription, so cancelling the payment did not cancel it.
    assert subscription.status == "pending"
    assert start(alice, subscription=subscription) != first


def test_a_checkout_is_found_after_its_plan_was_withdrawn(alice: User, basic: Price, unsteady: type[Unsteady]) -> None:
    unsteady.break_before = 1
    sent = {"plan": "basic", "amount": "990.00"}

    def send() -> Any:
        url = "/api/payments/create-checkout-session"
        return client(alice).post(url, sent, HTTP_IDEMPOTENCY_KEY="k1")

    assert send().status_code == 503
    Price.objects.update(archived_at=timezone.now())
    again = send()
    assert (again.status_code, again.json()["id"]) == (201, Payment.objects.get().public_id)


def test_a_form_key_for_a_plan_paid_from_the_balance_makes_no_payment(alice: User, basic: Price) -> None:
    top_up(alice, 990_00)
    request = orders.request_of("form-1", plan="basic")
    orders.subscribe(alice, basic, now=timezone.now(), request=request)
    with pytest.raises(KeyReused):
        start(alice, plan="basic", idempotency_key="form-1")
    assert not Payment.objects.filter(subscription__isnull=False).exists()
