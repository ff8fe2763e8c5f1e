"""Every outcome of the sandbox's page, from the click to the wallet, with webhooks over real HTTP to a real server."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
import time_machine
from django.utils import timezone

from accounts.models import User
from payments import checkout, confirmation, reconciliation
from payments.gateways.sandbox import outcomes, webhooks
from payments.gateways.sandbox.models import SandboxDelivery
from payments.models import Payment, WebhookEvent
from payments.webhooks import process
from subscriptions.models import Price, Subscription
from tests.payments.rows import balance, events, times_credited

pytestmark = pytest.mark.django_db(transaction=True)


class Expected(NamedTuple):
    """The expected statuses of the payment and the subscription."""

    # After the webhook, if any, is processed.
    by_webhook: str
    # After the return page has checked the gateway.
    in_the_end: str
    subscription: str
    deliveries: int = 1
    failure: str = ""


TABLE = {
    "succeeds": Expected("confirmed", "confirmed", "active"),
    "succeeds_late": Expected("pending", "pending", "pending"),
    "bank_asks": Expected("pending", "pending", "pending", deliveries=0),
    "insufficient_funds": Expected("failed", "failed", "pending", failure="insufficient_funds"),
    "expired_card": Expected("failed", "failed", "pending", failure="expired_card"),
    "webhook_twice": Expected("confirmed", "confirmed", "active", deliveries=2),
    "webhook_lost": Expected("pending", "confirmed", "active", deliveries=0),
    "webhook_first": Expected("confirmed", "confirmed", "active"),
    # One webhook is due; the older one follows.
    "webhooks_reordered": Expected("confirmed", "confirmed", "active"),
    "wrong_amount": Expected("unknown", "unknown", "pending"),
    "wrong_currency": Expected("unknown", "unknown", "pending"),
    "times_out": Expected("pending", "unknown", "pending", deliveries=0),
    "expires_then_succeeds": Expected("expired", "expired", "pending"),
    "refund_waits": Expected("confirmed", "confirmed", "active"),
    "refund_fails": Expected("confirmed", "confirmed", "active"),
    "refund_times_out": Expected("confirmed", "confirmed", "active"),
    "dispute_open": Expected("confirmed", "confirmed", "active"),
    "dispute_won": Expected("confirmed", "confirmed", "active"),
    "dispute_lost": Expected("confirmed", "confirmed", "active"),
    "cancel": Expected("cancelled", "cancelled", "pending"),
}


def start_checkout(alice: User) -> Payment:
    return checkout.start(alice, now=timezone.now(), plan="basic")


def deliver_and_process() -> None:
    """Deliver the sandbox's webhooks and process the events."""
    webhooks.deliver_due(now=timezone.now())
    process.sweep(now=timezone.now())


def test_the_table_has_every_outcome_of_the_page() -> None:
    assert TABLE.keys() == outcomes.ON_THE_PAGE.keys()


@pytest.mark.parametrize("outcome", TABLE)
def test_outcome(outcome: str, alice: User, basic: Price, site: str, choose: Callable[..., Any]) -> None:
    expected, payment = TABLE[outcome], start_checkout(alice)
    answer = choose(payment, outcome)
    deliver_and_process()
    payment.refresh_from_db()
    assert payment.status == expected.by_webhook
    assert SandboxDelivery.objects.filter(tries__gt=0).count() == (
        expected.deliveries if outcome != "succeeds_late" else 0
    )
    confirmation.confirm(payment.pk, now=timezone.now())
    payment.refresh_from_db()
    assert (payment.status, payment.failure_code) == (expected.in_the_end, expected.failure)
    assert Subscription.objects.get().status == expected.subscription
    # 990.00 came in and paid for the first month, or nothing came in.
    assert balance(alice) == 0
    assert times_credited(payment) == (expected.in_the_end == "confirmed")
    if outcome == "bank_asks":
        assert answer.url == f"/sandbox/pay/{payment.gateway_id}/bank/"
    elif outcome == "times_out":
        assert answer.status_code == 504
    else:
        assert (answer.status_code, answer.url) == (303, f"{site}/pay/{payment.public_id}/")


def test_an_early_webhook_arrives_before_the_browser_returns(
    alice: User, basic: Price, site: str, choose: Callable[..., Any]
) -> None:
    payment = start_checkout(alice)
    choose(payment, "webhook_first")
    assert WebhookEvent.objects.get().gateway_id == payment.gateway_id


def test_a_webhook_sent_twice_is_stored_once(alice: User, basic: Price, site: str, choose: Callable[..., Any]) -> None:
    payment = start_checkout(alice)
    choose(payment, "webhook_twice")
    deliver_and_process()
    assert list(SandboxDelivery.objects.values_list("last_status", flat=True)) == ["200", "200"]
    assert WebhookEvent.objects.count() == 1
    assert events(payment) == ["payment.confirmed"]


def test_a_late_success_is_confirmed_by_its_webhook(
    alice: User, basic: Price, site: str, choose: Callable[..., Any]
) -> None:
    payment = start_checkout(alice)
    choose(payment, "succeeds_late")
    with time_machine.travel(timezone.now() + timedelta(seconds=19), tick=False):
        assert confirmation.confirm(payment.pk, now=timezone.now()).gateway_state == "processing"
        deliver_and_process()
        assert not WebhookEvent.objects.exists()
    with time_machine.travel(timezone.now() + timedelta(seconds=21), tick=False):
        deliver_and_process()
    payment.refresh_from_db()
    assert payment.status == "confirmed"
    assert Subscription.objects.get().status == "active"


@pytest.mark.parametrize(
    ("answer", "status", "failure"), [("approve", "confirmed", ""), ("refuse", "failed", "authentication_failed")]
)
def test_the_bank_asks_and_the_customer_answers(
    answer: str, status: str, failure: str, alice: User, basic: Price, site: str, choose: Callable[..., Any]
) -> None:
    payment = start_checkout(alice)
    choose(payment, "bank_asks")
    assert confirmation.confirm(payment.pk, now=timezone.now()).gateway_state == "requires_action"
    assert choose(payment, answer, page="bank/").url == f"{site}/pay/{payment.public_id}/"
    deliver_and_process()
    payment.refresh_from_db()
    assert (payment.status, payment.failure_code) == (status, failure)


def test_reconciliation_makes_up_for_a_lost_webhook(
    alice: User, basic: Price, site: str, choose: Callable[..., Any]
) -> None:
    payment = start_checkout(alice)
    choose(payment, "webhook_lost")
    assert reconciliation.check_all(now=payment.created_at + timedelta(seconds=29)) == 0
    assert reconciliation.check_all(now=payment.created_at + timedelta(seconds=30)) == 1
    payment.refresh_from_db()
    assert payment.status == "confirmed"


def test_a_payment_that_timed_out_is_credited_once_the_gateway_answers(
    alice: User, basic: Price, site: str, choose: Callable[..., Any]
) -> None:
    payment = start_checkout(alice)
    choose(payment, "times_out")
    assert confirmation.confirm(payment.pk, now=timezone.now()).status == "unknown"
    assert Subscription.objects.get().status == "pending"
    later = payment.created_at + timedelta(seconds=31)
    with time_machine.travel(later, tick=False):
        assert reconciliation.check_all(now=later) == 1
        assert reconciliation.check_all(now=later) == 0
    payment.refresh_from_db()
    assert payment.status == "confirmed"
    assert times_credited(payment) == 1


def test_a_wrong_amount_is_parked_and_never_credited(
    alice: User, basic: Price, site: str, choose: Callable[..., Any]
) -> None:
    payment = start_checkout(alice)
    choose(payment, "wrong_amount")
    deliver_and_process()
    payment.refresh_from_db()
    # Half of 990.00 is 495.00.
    assert payment.parked_reason == "sandbox took 495.00 RUB, we requested 990.00 RUB"
    assert payment.check_at is None
    assert events(payment) == ["payment.parked"]
    # Checking again changes nothing and records no second event.
    for _ in range(3):
        confirmation.confirm(payment.pk, now=timezone.now())
    assert events(payment) == ["payment.parked"]
    assert (balance(alice), times_credited(payment)) == (0, 0)


def test_a_wrong_currency_is_parked_too(alice: User, basic: Price, site: str, choose: Callable[..., Any]) -> None:
    payment = start_checkout(alice)
    choose(payment, "wrong_currency")
    deliver_and_process()
    payment.refresh_from_db()
    assert payment.parked_reason == "sandbox took 990.00 EUR, we requested 990.00 RUB"
    assert (balance(alice), balance(alice, "EUR")) == (0, 0)


def test_an_older_webhook_that_comes_last_changes_nothing(
    alice: User, basic: Price, site: str, choose: Callable[..., Any]
) -> None:
    payment = start_checkout(alice)
    choose(payment, "webhooks_reordered")
    deliver_and_process()
    with time_machine.travel(timezone.now() + timedelta(seconds=4), tick=False):
        deliver_and_process()
    assert list(WebhookEvent.objects.order_by("id").values_list("type", "status")) == [
        ("session.succeeded", "processed"),
        ("session.failed", "processed"),
    ]
    payment.refresh_from_db()
    assert (payment.status, events(payment)) == ("confirmed", ["payment.confirmed"])


def test_money_that_comes_after_the_page_has_expired_starts_the_order_that_waits(
    alice: User, basic: Price, site: str, choose: Callable[..., Any]
) -> None:
    payment = start_checkout(alice)
    choose(payment, "expires_then_succeeds")
    deliver_and_process()
    payment.refresh_from_db()
    assert (payment.status, balance(alice)) == ("expired", 0)
    with time_machine.travel(timezone.now() + timedelta(seconds=21), tick=False):
        deliver_and_process()
    payment.refresh_from_db()
    # The order outlives its page, so the 990.00 pay for its first month.
    assert (payment.status, Subscription.objects.get().status, balance(alice)) == ("confirmed", "active", 0)


def test_a_webhook_is_retried_until_it_is_accepted(
    alice: User, basic: Price, site: str, choose: Callable[..., Any], settings: Any
) -> None:
    payment = start_checkout(alice)
    choose(payment, "succeeds")
    # No server listens on port 9.
    settings.SITE_URL = "http://127.0.0.1:9"
    now = timezone.now()
    assert webhooks.deliver_due(now=now) == 1
    owed = SandboxDelivery.objects.get()
    assert (owed.tries, owed.last_status, owed.next_try_at) == (1, "ConnectionError", now + timedelta(seconds=2))
    assert webhooks.deliver_due(now=now + timedelta(seconds=1)) == 0
    settings.SITE_URL = site
    assert webhooks.deliver_due(now=now + timedelta(seconds=2)) == 1
    owed.refresh_from_db()
    assert (owed.tries, owed.last_status, owed.next_try_at) == (2, "200", None)
    process.sweep(now=timezone.now())
    payment.refresh_from_db()
    assert payment.status == "confirmed"


def test_an_unaccepted_webhook_is_given_up_after_three_days(
    alice: User, basic: Price, site: str, choose: Callable[..., Any], settings: Any
) -> None:
    choose(start_checkout(alice), "succeeds")
    settings.SITE_URL = "http://127.0.0.1:9"
    webhooks.deliver_due(now=timezone.now() + timedelta(hours=73))
    assert SandboxDelivery.objects.get().next_try_at is None
