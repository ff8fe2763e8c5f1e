from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from payments import checkout, confirmation
from payments.gateways.sessions import Snapshot, State
from payments.models import Payment, WebhookEvent
from payments.webhooks import process
from tests.payments.faulty_gateway import Unsteady
from tests.payments.rows import balance, times_credited

pytestmark = pytest.mark.django_db


def event(gateway_id: str, *, now: datetime, event_id: str = "sevt_1", kind: str = "session.succeeded") -> WebhookEvent:
    return WebhookEvent.objects.create(
        gateway="sandbox",
        event_id=event_id,
        type=kind,
        subject="payment",
        gateway_id=gateway_id,
        payload={},
        received_at=now,
        next_try_at=now,
    )


def top_up(customer: User) -> Payment:
    return checkout.start(customer, now=timezone.now(), amount=100_00, currency="RUB")


def test_an_event_is_only_a_hint(alice: User) -> None:
    """The event says succeeded, but the gateway says that nobody has paid."""
    payment, now = top_up(alice), timezone.now()
    done = process.process(event(payment.gateway_id or "", now=now).pk, now=now)
    assert done is not None
    assert (done.status, done.outcome, done.next_try_at) == ("processed", f"{payment.public_id}: pending.", None)
    assert balance(alice) == 0


def test_events_in_any_order_give_the_gateways_state(alice: User, choose: Callable[..., Any]) -> None:
    payment, now = top_up(alice), timezone.now()
    choose(payment, "succeeds")
    for number, kind in enumerate(["session.failed", "session.succeeded", "session.cancelled"]):
        event(payment.gateway_id or "", now=now, event_id=f"sevt_{number}", kind=kind)
    assert process.sweep(now=now) == 3
    payment.refresh_from_db()
    assert (payment.status, balance(alice), times_credited(payment)) == ("confirmed", 100_00, 1)


def test_an_event_for_a_payment_not_stored_yet_is_parked_and_processed_later(
    alice: User, choose: Callable[..., Any]
) -> None:
    payment, now = top_up(alice), timezone.now()
    choose(payment, "succeeds")
    early = event("sbx_not_yet", now=now)
    process.sweep(now=now)
    early.refresh_from_db()
    assert (early.status, early.outcome) == ("parked", "No payment has the gateway id sbx_not_yet.")
    assert early.next_try_at == now + timedelta(seconds=5)
    # Now the payment is committed.
    WebhookEvent.objects.update(gateway_id=payment.gateway_id)
    assert process.sweep(now=now + timedelta(seconds=4)) == 0
    assert process.sweep(now=now + timedelta(seconds=5)) == 1
    early.refresh_from_db()
    payment.refresh_from_db()
    assert (early.status, early.tries, payment.status) == ("processed", 2, "confirmed")


def test_an_event_for_an_unknown_payment_stays_parked_for_staff(db: None) -> None:
    now = timezone.now()
    lost = event("sbx_nobodys", now=now)
    at, tries = now, 0
    while (lost := WebhookEvent.objects.get(pk=lost.pk)).next_try_at:
        at, tries = lost.next_try_at, tries + 1
        process.sweep(now=at)
    assert lost.status == "parked"
    assert timedelta(hours=71) < at - now <= timedelta(hours=72)
    # 5 s doubled ten times makes 11 tries in 5115 s; then one an hour: (72 * 3600 - 5115) // 3600 = 70 more.
    assert tries == lost.tries == 81


def test_an_event_without_a_gateway_id_is_ignored(db: None) -> None:
    now = timezone.now()
    done = process.process(event("", now=now).pk, now=now)
    assert done is not None
    assert (done.status, done.next_try_at) == ("ignored", None)


def test_an_event_waits_until_the_gateway_answers(
    alice: User, choose: Callable[..., Any], unsteady: type[Unsteady]
) -> None:
    payment, now = top_up(alice), timezone.now()
    choose(payment, "succeeds")
    waiting = event(payment.gateway_id or "", now=now)
    unsteady.fetch_breaks = 1
    process.sweep(now=now)
    waiting.refresh_from_db()
    assert (waiting.status, waiting.outcome) == ("parked", f"{payment.public_id}: the gateway did not answer.")
    process.sweep(now=now + timedelta(seconds=5))
    waiting.refresh_from_db()
    assert (waiting.status, waiting.outcome) == ("processed", f"{payment.public_id}: confirmed.")


@pytest.mark.parametrize("status", ["expired", "cancelled", "failed", "confirmed"])
def test_an_event_about_a_payment_that_is_over_waits_for_the_answer_too(
    alice: User, choose: Callable[..., Any], unsteady: type[Unsteady], status: str
) -> None:
    """It may be the only hint about money that came late, or about a fee."""
    payment, now = top_up(alice), timezone.now()
    if status != "confirmed":
        ended = Snapshot(gateway_id=payment.gateway_id or "", state=State(status))
        confirmation.apply(payment.pk, ended, now=now)
    choose(payment, "succeeds")
    if status == "confirmed":
        confirmation.confirm(payment.pk, now=now)
    waiting = event(payment.gateway_id or "", now=now)
    unsteady.fetch_breaks = 1
    process.sweep(now=now)
    waiting.refresh_from_db()
    assert (waiting.status, waiting.outcome) == ("parked", f"{payment.public_id}: the gateway did not answer.")
    process.sweep(now=now + timedelta(seconds=5))
    waiting.refresh_from_db()
    assert (waiting.status, waiting.outcome) == ("processed", f"{payment.public_id}: confirmed.")
    assert (balance(alice), times_credited(payment)) == (100_00, 1)


def test_a_failing_event_does_not_block_others(alice: User, choose: Callable[..., Any], settings: Any) -> None:
    payment, now = top_up(alice), timezone.now()
    choose(payment, "succeeds")
    # The gateway was removed from the settings while its events waited.
    poisoned = event("x", now=now - timedelta(seconds=1), event_id="sevt_0")
    WebhookEvent.objects.filter(pk=poisoned.pk).update(gateway="gone", gateway_id="gone_1")
    Payment.objects.create(
        customer=alice, amount=1, currency="RUB", gateway="gone", gateway_id="gone_1", created_at=now, updated_at=now,
        expires_at=now,
    )  # fmt: skip
    event(payment.gateway_id or "", now=now)
    assert process.sweep(now=now) == 2
    poisoned.refresh_from_db()
    payment.refresh_from_db()
    assert poisoned.status == "parked"
    assert poisoned.outcome.startswith("UnknownGateway: There is no gateway 'gone'")
    assert payment.status == "confirmed"


def test_a_replay_credits_nothing_twice(alice: User, choose: Callable[..., Any]) -> None:
    payment, now = top_up(alice), timezone.now()
    choose(payment, "succeeds")
    done = event(payment.gateway_id or "", now=now)
    process.sweep(now=now)
    assert process.sweep(now=now) == 0
    for _ in range(3):
        assert process.replay([done.pk], now=now) == 1
        assert process.sweep(now=now) == 1
    assert (balance(alice), times_credited(payment)) == (100_00, 1)


def test_the_event_of_a_dead_worker_becomes_due_again(alice: User, choose: Callable[..., Any]) -> None:
    payment, now = top_up(alice), timezone.now()
    choose(payment, "succeeds")
    waiting = event(payment.gateway_id or "", now=now)
    assert process._claim(now=now, at=now) == waiting
    assert process.sweep(now=now) == 0
    assert process.sweep(now=now + process.LEASE) == 1
    payment.refresh_from_db()
    assert payment.status == "confirmed"
