"""How payments end: cancelled, expired, reconciled, or paid late."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone, translation

from accounts.models import User
from core.errors import Unavailable
from ledger.models import Transaction
from payments import cancellation, checkout, confirmation, reconciliation
from payments.cancellation import NotCancellable
from payments.gateways.sandbox.models import SandboxSession
from payments.gateways.sessions import Snapshot, State
from payments.models import Payment
from subscriptions import books, orders
from subscriptions.models import Price, Subscription
from tests.payments.faulty_gateway import Unsteady
from tests.payments.rows import balance, events, times_credited
from tests.subscriptions.shop import sell

pytestmark = pytest.mark.django_db


@pytest.fixture
def payment(alice: User, basic: Price) -> Payment:
    return checkout.start(alice, now=timezone.now(), plan="basic", idempotency_key="form-1")


def late_success(payment: Payment) -> None:
    """Let the gateway take the money after it has closed the page."""
    SandboxSession.objects.filter(session_id=payment.gateway_id).update(
        status="succeeded", amount_received=payment.amount
    )


def test_cancelling_closes_the_page_and_cancels_the_subscription(payment: Payment) -> None:
    cancellation.cancel(payment, now=timezone.now())
    payment.refresh_from_db()
    assert (payment.status, payment.check_at) == ("cancelled", None)
    assert SandboxSession.objects.get().status == "cancelled"
    assert Subscription.objects.get().status == "cancelled"
    assert events(payment) == ["payment.cancelled"]


@pytest.mark.parametrize("outcome", ["succeeds", "insufficient_funds"])
def test_cancelling_a_decided_payment_applies_the_gateways_decision(
    payment: Payment, choose: Callable[..., Any], outcome: str
) -> None:
    choose(payment, outcome)
    with pytest.raises(NotCancellable) as caught:
        cancellation.cancel(payment, now=timezone.now())
    payment.refresh_from_db()
    assert caught.value.extra["state"] == payment.status == {"succeeds": "confirmed"}.get(outcome, "failed")


def test_a_payment_the_bank_is_processing_cannot_be_cancelled(payment: Payment, choose: Callable[..., Any]) -> None:
    choose(payment, "succeeds_late")
    with pytest.raises(NotCancellable, match="The bank is processing"):
        cancellation.cancel(payment, now=timezone.now())
    payment.refresh_from_db()
    assert payment.status == "pending"


def test_a_cancel_without_an_answer_from_the_gateway_does_nothing(payment: Payment, choose: Callable[..., Any]) -> None:
    choose(payment, "times_out")
    with pytest.raises(Unavailable):
        cancellation.cancel(payment, now=timezone.now())
    payment.refresh_from_db()
    assert payment.status == "pending"


def test_cancelling_twice_is_refused(payment: Payment) -> None:
    cancellation.cancel(payment, now=timezone.now())
    payment.refresh_from_db()
    with pytest.raises(NotCancellable) as caught:
        cancellation.cancel(payment, now=timezone.now())
    assert caught.value.extra["state"] == "cancelled"


def test_a_payment_is_expired_only_after_the_gateway_has_closed_it(payment: Payment) -> None:
    assert reconciliation.check_all(now=payment.expires_at - timedelta(seconds=1)) == 1
    payment.refresh_from_db()
    assert (payment.status, SandboxSession.objects.get().status) == ("pending", "open")
    assert reconciliation.check_all(now=payment.expires_at) == 1
    payment.refresh_from_db()
    assert (payment.status, payment.check_at) == ("expired", None)
    assert SandboxSession.objects.get().status == "cancelled"
    # The order waits on for another payment.
    assert Subscription.objects.get().status == "pending"


def test_a_payment_paid_at_the_last_moment_is_confirmed(payment: Payment, choose: Callable[..., Any]) -> None:
    choose(payment, "webhook_lost")
    assert reconciliation.check_all(now=payment.expires_at) == 1
    payment.refresh_from_db()
    assert payment.status == "confirmed"
    assert Subscription.objects.get().status == "active"


def test_a_payment_is_not_expired_without_an_answer_from_the_gateway(
    payment: Payment, choose: Callable[..., Any]
) -> None:
    choose(payment, "times_out")
    assert reconciliation.check_all(now=payment.expires_at) == 1
    payment.refresh_from_db()
    assert payment.status == "unknown"
    assert payment.check_at == payment.created_at + timedelta(hours=1)


def test_a_payment_without_a_page_expires_without_the_gateway(
    alice: User, basic: Price, unsteady: type[Unsteady]
) -> None:
    unsteady.break_before = 1
    with pytest.raises(Unavailable):
        checkout.start(alice, now=timezone.now(), plan="basic")
    payment = Payment.objects.get()
    assert reconciliation.check_all(now=payment.expires_at) == 1
    payment.refresh_from_db()
    assert payment.status == "expired"
    assert Subscription.objects.get().status == "pending"


def test_reconciliation_opens_a_page_after_a_lost_answer(alice: User, basic: Price, unsteady: type[Unsteady]) -> None:
    unsteady.break_after = 1
    with pytest.raises(Unavailable):
        checkout.start(alice, now=timezone.now(), plan="basic")
    payment = Payment.objects.get()
    assert reconciliation.check_all(now=payment.created_at + timedelta(seconds=30)) == 1
    payment.refresh_from_db()
    assert (payment.status, payment.gateway_id) == ("pending", SandboxSession.objects.get().session_id)
    assert payment.confirmation_url


def test_reconciliation_checks_only_at_the_scheduled_ages(payment: Payment) -> None:
    seconds = range(0, 29 * 60, 10)
    checks = [at for at in seconds if reconciliation.check_all(now=payment.created_at + timedelta(seconds=at))]
    assert checks == [30, 120, 600]
    payment.refresh_from_db()
    assert (payment.checks, payment.status) == (3, "pending")


def test_late_money_of_a_cancelled_order_goes_to_the_wallet_and_revives_nothing(payment: Payment) -> None:
    cancellation.cancel(payment, now=timezone.now())
    late_success(payment)
    confirmation.confirm(payment.pk, now=timezone.now())
    payment.refresh_from_db()
    assert (payment.status, balance(payment.customer), times_credited(payment)) == ("confirmed", 990_00, 1)
    assert Subscription.objects.get().status == "cancelled"
    assert events(payment) == ["payment.cancelled", "payment.confirmed"]


def test_late_money_of_an_expired_payment_starts_the_order_that_waits(payment: Payment) -> None:
    reconciliation.check_all(now=payment.expires_at)
    late_success(payment)
    confirmation.confirm(payment.pk, now=timezone.now())
    payment.refresh_from_db()
    assert (payment.status, balance(payment.customer), times_credited(payment)) == ("confirmed", 0, 1)
    assert Subscription.objects.get().status == "active"
    assert events(payment) == ["payment.expired", "payment.confirmed"]


def test_late_money_of_an_order_that_was_paid_again_is_on_the_balance(
    payment: Payment, choose: Callable[..., Any]
) -> None:
    reconciliation.check_all(now=payment.expires_at)
    second = checkout.start(payment.customer, now=timezone.now(), plan="basic")
    choose(second, "succeeds")
    late_success(payment)
    for each in (second, payment):
        confirmation.confirm(each.pk, now=timezone.now())
    assert (balance(payment.customer), Subscription.objects.get().status) == (990_00, "active")


def test_a_late_wrong_amount_is_parked(payment: Payment) -> None:
    cancellation.cancel(payment, now=timezone.now())
    SandboxSession.objects.update(status="succeeded", amount_received=1)
    confirmation.confirm(payment.pk, now=timezone.now())
    payment.refresh_from_db()
    assert (payment.status, balance(payment.customer)) == ("unknown", 0)
    assert payment.parked_reason


def test_a_late_failure_changes_nothing(payment: Payment) -> None:
    cancellation.cancel(payment, now=timezone.now())
    SandboxSession.objects.update(status="failed", failure_code="expired_card")
    assert confirmation.confirm(payment.pk, now=timezone.now()).status == "cancelled"


def test_a_confirmed_payment_stays_confirmed(payment: Payment, choose: Callable[..., Any]) -> None:
    choose(payment, "succeeds")
    confirmation.confirm(payment.pk, now=timezone.now())
    SandboxSession.objects.update(status="failed")
    assert confirmation.confirm(payment.pk, now=timezone.now()).status == "confirmed"


def test_a_subscription_started_from_the_balance_is_not_cancelled(payment: Payment) -> None:
    with books.open(payment.customer, "RUB", now=timezone.now()) as book:
        book.top_up(990_00, key="test:1", source="gateway_clearing:sandbox")
    subscription = Subscription.objects.get()
    # No other money starts an order.
    assert subscription.status == "pending"
    orders.start(subscription, now=timezone.now())
    cancellation.cancel(payment, now=timezone.now())
    assert Subscription.objects.get().status == "active"


def test_an_order_changed_to_another_plan_is_not_cancelled_with_its_first_payment(payment: Payment) -> None:
    dear = sell("dear", RUB=1990_00)["RUB"]
    subscription = Subscription.objects.get()
    orders.change(subscription, now=timezone.now(), act=lambda book: book.change_plan(subscription, dear))
    cancellation.cancel(payment, now=timezone.now())
    assert Subscription.objects.get().status == "pending"


def test_a_subscription_with_another_open_payment_is_not_cancelled(payment: Payment) -> None:
    """A parked payment does not block a new checkout, so one subscription can have two open payments."""
    SandboxSession.objects.update(status="succeeded", amount_received=1)
    confirmation.confirm(payment.pk, now=timezone.now())
    assert payment.subscription is not None
    second = checkout.start(payment.customer, now=timezone.now(), subscription=payment.subscription)
    assert second != payment
    cancellation.cancel(second, now=timezone.now())
    assert Subscription.objects.get().status == "pending"


@pytest.mark.parametrize(
    ("amount", "currency"),
    [(-990_00, "RUB"), (0, "RUB"), (990.5, "RUB"), (2**63, "RUB"), (10**30, "RUB"), (10**12 + 1, "RUB"),
     (990_00, "rub"), (990_00, "XXX"), (None, None)],
)  # fmt: skip
def test_an_amount_without_sense_parks_the_payment(payment: Payment, amount: Any, currency: Any) -> None:
    answer = Snapshot(
        gateway_id=payment.gateway_id or "", state=State.SUCCEEDED, amount=amount, currency=currency, fee=1_00,
        fee_currency="RUB",
    )  # fmt: skip
    payment = confirmation.apply(payment.pk, answer, now=timezone.now())
    assert (payment.status, payment.received, payment.fee, times_credited(payment)) == ("unknown", None, None, 0)
    assert payment.parked_reason == (f"sandbox took {amount} minor units of {currency}, we requested 990.00 RUB")


def test_a_payment_unknown_to_the_gateway_is_parked(payment: Payment) -> None:
    SandboxSession.objects.all().delete()
    confirmation.confirm(payment.pk, now=timezone.now())
    payment.refresh_from_db()
    assert payment.status == "unknown"
    assert payment.parked_reason.startswith("sandbox does not know this payment")
    assert payment.check_at is None


def test_an_unrecognised_state_keeps_the_payment_pending(payment: Payment, unsteady: type[Unsteady]) -> None:
    unsteady.invents = True
    payment = confirmation.confirm(payment.pk, now=timezone.now())
    assert (payment.status, payment.gateway_state) == ("pending", "unrecognised")


def test_a_checkout_starts_its_own_subscription_first(alice: User, basic: Price, choose: Callable[..., Any]) -> None:
    now = timezone.now()
    with books.open(alice, "RUB", now=now) as book:
        older = book.subscribe(basic)
    payment = checkout.start(alice, now=now, plan="basic")
    choose(payment, "succeeds")
    confirmation.confirm(payment.pk, now=timezone.now())
    older.refresh_from_db()
    assert payment.subscription is not None
    payment.subscription.refresh_from_db()
    # 990.00 came in, and each of the two subscriptions costs 990.00.
    assert (payment.subscription.status, older.status) == ("active", "pending")


def test_a_payment_without_an_answer_is_checked_daily_for_months(payment: Payment, choose: Callable[..., Any]) -> None:
    choose(payment, "times_out")
    SandboxSession.objects.update(unreachable_until=timezone.now() + timedelta(days=61))
    with time_machine.travel(payment.created_at + timedelta(days=60), tick=False):
        reconciliation.check_all(now=timezone.now())
        payment.refresh_from_db()
        assert payment.check_at == payment.created_at + timedelta(days=61)
    with time_machine.travel(payment.created_at + timedelta(days=62), tick=False):
        reconciliation.check_all(now=timezone.now())
    payment.refresh_from_db()
    assert payment.status == "confirmed"


@pytest.mark.parametrize(("typed", "written"), [("", ""), ("For the office", "For the office")])
def test_a_credit_keeps_the_customers_own_description_only(
    alice: User, basic: Price, choose: Callable[..., Any], typed: str, written: str
) -> None:
    """Our own descriptions are in the language of the order; the page names the plan in the reader's language."""
    with translation.override("ru"):
        paid = checkout.start(alice, now=timezone.now(), plan="basic", description=typed, idempotency_key="form-1")
    choose(paid, "succeeds")
    confirmation.confirm(paid.pk, now=timezone.now())
    assert Transaction.objects.get(key=f"payment:{paid.public_id}").description == written
