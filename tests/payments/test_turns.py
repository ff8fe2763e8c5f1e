"""A slow gateway holds one worker at most, and what could not be asked stays due."""

from datetime import timedelta
from threading import Event, Thread

import pytest
from django.core.cache import cache
from django.db import connection
from django.utils import timezone

from accounts.models import User
from payments import confirmation, reconciliation, tasks, turns
from payments.collection import plans
from payments.models import Payment, WebhookEvent
from tests.payments.checkouts import start


def due(customer: User) -> Payment:
    """A top-up whose check at six hours is due."""
    payment = start(customer, amount=100_00, currency="RUB")
    six = payment.created_at + timedelta(hours=6)
    Payment.objects.filter(pk=payment.pk).update(check_at=six, expires_at=six + timedelta(days=14))
    payment.refresh_from_db()
    return payment


def pause() -> None:
    cache.set("gateway-paused:sandbox", 1, timeout=30)


def event(payment: Payment) -> WebhookEvent:
    now = timezone.now()
    return WebhookEvent.objects.create(
        gateway="sandbox", event_id="sevt_1", type="session.succeeded", subject="payment",
        gateway_id=payment.gateway_id or "", payload={}, received_at=now, next_try_at=now,
    )  # fmt: skip


@pytest.mark.django_db
def test_while_the_breaker_is_open_no_row_loses_its_turn(alice: User) -> None:
    payment = due(alice)
    six = payment.check_at
    assert six is not None
    pause()
    assert reconciliation.check_gateway("sandbox", now=six) == 0
    payment.refresh_from_db()
    assert (payment.check_at, payment.checks, payment.status) == (six, 0, "pending")
    cache.clear()
    assert reconciliation.check_gateway("sandbox", now=six + timedelta(seconds=30)) == 1
    payment.refresh_from_db()
    # After six hours the next check is at a day.
    assert (payment.check_at, payment.checks) == (payment.created_at + timedelta(days=1), 1)


@pytest.mark.django_db
def test_a_visit_of_the_payment_page_meanwhile_puts_its_check_off_by_a_minute_only(alice: User) -> None:
    payment = due(alice)
    six = payment.check_at
    assert six is not None
    pause()
    assert confirmation.confirm(payment.pk, now=six).check_at == six + timedelta(minutes=1)


@pytest.mark.django_db
def test_a_sweep_ends_when_its_time_is_over_and_leaves_the_rest_due(alice: User) -> None:
    payment = due(alice)
    assert payment.check_at is not None
    assert reconciliation.check_gateway("sandbox", now=payment.check_at, seconds=0) == 0
    assert plans.check_due(now=payment.check_at, goes_on=turns.lasting(None, 0)) == 0
    payment.refresh_from_db()
    assert payment.check_at == payment.created_at + timedelta(hours=6)


@pytest.mark.django_db
def test_webhooks_of_a_slow_gateway_are_left_to_its_sweep(alice: User) -> None:
    hint = event(start(alice, amount=100_00, currency="RUB"))
    cache.set("gateway-slow:sandbox", 1, timeout=120)
    tasks.process_webhook(hint.pk, "sandbox")
    hint.refresh_from_db()
    assert (hint.status, hint.tries) == ("received", 0)
    tasks.process_gateway_webhooks("sandbox")
    hint.refresh_from_db()
    assert (hint.status, hint.tries) == ("processed", 1)


@pytest.mark.django_db
def test_webhooks_of_any_other_are_processed_at_once(alice: User) -> None:
    hint = event(start(alice, amount=100_00, currency="RUB"))
    cache.set("gateway-slow:stripe", 1, timeout=120)
    tasks.process_webhook(hint.pk, "sandbox")
    hint.refresh_from_db()
    assert hint.status == "processed"


@pytest.mark.django_db(transaction=True)
def test_one_worker_at_a_time_is_busy_with_a_gateway(alice: User) -> None:
    payment = start(alice, amount=100_00, currency="RUB")
    Payment.objects.update(check_at=timezone.now() - timedelta(seconds=1))
    hint, taken, done = event(payment), Event(), Event()
    first = Thread(target=hold, args=("gateway:sandbox", taken, done))
    first.start()
    assert taken.wait(timeout=30)
    try:
        tasks.reconcile_gateway("sandbox")
        tasks.process_gateway_webhooks("sandbox")
        with turns.take("gateway:card") as is_free:
            assert is_free
    finally:
        done.set()
        first.join(timeout=30)
    hint.refresh_from_db()
    payment.refresh_from_db()
    assert (hint.tries, payment.checks) == (0, 0)
    # The session of the first has ended without giving it back.
    tasks.reconcile_gateway("sandbox")
    tasks.process_gateway_webhooks("sandbox")
    hint.refresh_from_db()
    payment.refresh_from_db()
    assert (hint.tries, payment.checks) == (1, 1)


def hold(name: str, taken: Event, done: Event) -> None:
    """Hold a turn in a session of its own, and die without giving it back."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", [turns.TURNS, name])
        assert cursor.fetchone() == (True,)
    taken.set()
    done.wait(timeout=30)
    connection.close()
