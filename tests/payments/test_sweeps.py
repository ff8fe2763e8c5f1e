"""Sweeps: each row in its own try, claimed from the moment it is taken, put off when it fails, parked in the end."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.utils import timezone

from accounts.models import User
from payments import confirmation, reconciliation, refunds, sweeps, tasks
from payments.gateways.errors import GatewayError
from payments.gateways.sandbox.gateway import Sandbox
from payments.gateways.sessions import Snapshot
from payments.models import Payment, Refund
from tests.payments.checkouts import start
from tests.payments.faulty_gateway import CARD
from tests.payments.rows import balance

pytestmark = pytest.mark.django_db


def top_ups(customer: User, count: int) -> list[Payment]:
    return [start(customer, amount=(1000 + n) * 100, currency="RUB") for n in range(count)]


def at_first_check(payments: list[Payment]) -> datetime:
    return max(payment.created_at for payment in payments) + timedelta(seconds=30)


@pytest.fixture
def poisoned(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that makes the check of some payments raise an error of ours."""

    def poison(*rows: Payment, error: type[Exception] = KeyError) -> None:
        plain = confirmation.apply

        def apply(payment_id: int, answer: Any, **more: Any) -> Payment:
            if payment_id in {row.pk for row in rows}:
                raise error("poison")
            return plain(payment_id, answer, **more)

        monkeypatch.setattr(confirmation, "apply", apply)

    return poison


def test_three_poisoned_payments_hold_up_no_other(
    alice: User, choose: Callable[..., Any], poisoned: Callable[..., None]
) -> None:
    payments = top_ups(alice, 4)
    choose(payments[3], "webhook_lost")
    poisoned(*payments[:3])
    assert reconciliation.check_all(now=at_first_check(payments)) == 4
    payments[3].refresh_from_db()
    assert (payments[3].status, balance(alice)) == ("confirmed", 1003_00)


def test_a_gateway_that_raises_is_no_answer(
    alice: User, choose: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    payments = top_ups(alice, 4)
    choose(payments[3], "webhook_lost")
    plain, bad = Sandbox.fetch, {payment.gateway_id for payment in payments[:3]}

    def fetch(self: Sandbox, gateway_id: str) -> Snapshot:
        if gateway_id in bad:
            raise KeyError("amount")
        return plain(self, gateway_id)

    monkeypatch.setattr(Sandbox, "fetch", fetch)
    assert reconciliation.check_all(now=at_first_check(payments)) == 4
    for payment in payments:
        payment.refresh_from_db()
    assert [payment.status for payment in payments] == ["unknown"] * 3 + ["confirmed"]


def test_a_row_that_fails_waits_longer_each_time_and_then_for_staff(alice: User, poisoned: Callable[..., None]) -> None:
    [payment] = payments = top_ups(alice, 1)
    Payment.objects.update(expires_at=timezone.now() + timedelta(days=30))
    poisoned(payment)
    now, waits = at_first_check(payments), []
    for _ in range(sweeps.MOST_FAILURES):
        assert reconciliation.check_all(now=now) == 1
        payment.refresh_from_db()
        if payment.check_at:
            waits.append(round((payment.check_at - now).total_seconds()))
            now = payment.check_at
    assert waits == [30, 60, 120, 240, 480, 960, 1920]
    assert (payment.status, payment.parked_reason) == ("unknown", "Failed 8 times: KeyError: 'poison'")
    assert reconciliation.check_all(now=now + timedelta(days=2)) == 0


def test_a_check_that_goes_well_again_forgets_the_failures(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    [payment] = top_ups(alice, 1)
    Payment.objects.update(failures=5)
    reconciliation.check_all(now=at_first_check([payment]))
    payment.refresh_from_db()
    assert (payment.failures, payment.status) == (0, "pending")


def test_a_worker_that_must_stop_leaves_its_claim_to_the_next_one(alice: User, poisoned: Callable[..., None]) -> None:
    [payment] = payments = top_ups(alice, 1)
    poisoned(payment, error=SoftTimeLimitExceeded)
    now = at_first_check(payments)
    with pytest.raises(SoftTimeLimitExceeded):
        reconciliation.check_all(now=now)
    payment.refresh_from_db()
    assert payment.failures == 0
    assert payment.check_at is not None
    assert now < payment.check_at <= now + sweeps.LEASE + timedelta(seconds=5)


def test_a_claim_counts_from_the_moment_it_is_taken(alice: User) -> None:
    [payment] = payments = top_ups(alice, 1)
    now = at_first_check(payments)
    taken = sweeps.claim(Payment.objects.all(), now=now, at=now + timedelta(minutes=3))
    assert taken == payment
    payment.refresh_from_db()
    assert payment.check_at == now + timedelta(minutes=3) + sweeps.LEASE
    assert sweeps.claim(Payment.objects.all(), now=now, at=now) is None


def test_a_gateway_that_is_not_offered_any_more_goes_on_being_asked(
    alice: User, choose: Callable[..., Any], settings: Any
) -> None:
    settings.PAYMENT_GATEWAYS = ["sandbox", "card"]
    settings.GATEWAY_CLASSES = settings.GATEWAY_CLASSES | {"card": CARD}
    paid, unpaid = (start(alice, amount=n * 100_00, currency="RUB", gateway="card") for n in (10, 11))
    choose(paid, "webhook_lost")
    settings.PAYMENT_GATEWAYS = ["sandbox"]
    reconciliation.check_all(now=at_first_check([paid, unpaid]))
    assert (confirmation.confirm(paid.pk, now=timezone.now()).status, balance(alice)) == ("confirmed", 1000_00)
    reconciliation.check_all(now=unpaid.expires_at)
    unpaid.refresh_from_db()
    assert unpaid.status == "expired"
    assert refunds.issue(Payment.objects.get(pk=paid.pk), now=timezone.now()).status == "succeeded"


def test_pending_refunds_are_asked_about_until_they_are_decided(
    alice: User, choose: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    [payment] = top_ups(alice, 1)
    choose(payment, "succeeds")
    payment = confirmation.confirm(payment.pk, now=timezone.now())

    def silent(_self: Sandbox, _request: Any) -> Any:
        raise GatewayError("No answer.", permanent=False, code="timeout")

    with monkeypatch.context() as patch:
        patch.setattr(Sandbox, "refund", silent)
        refund = refunds.issue(payment, now=timezone.now())
        later = refund.created_at + timedelta(seconds=31)
        assert reconciliation.check_all(now=later) == 1
        refund.refresh_from_db()
        assert refund.status == "pending"
    assert reconciliation.check_all(now=later) == 0
    assert reconciliation.check_all(now=refund.created_at + timedelta(minutes=3)) == 1
    assert Refund.objects.get().status == "succeeded"


def test_each_gateway_is_asked_in_a_task_of_its_own(
    alice: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PAYMENT_GATEWAYS = ["sandbox", "card"]
    settings.GATEWAY_CLASSES = settings.GATEWAY_CLASSES | {"card": CARD}
    for amount, gateway in ((1000_00, "sandbox"), (1001_00, "card")):
        start(alice, amount=amount, currency="RUB", gateway=gateway)
    Payment.objects.update(check_at=timezone.now() - timedelta(seconds=1))
    asked: list[str] = []
    monkeypatch.setattr(tasks.reconcile_gateway, "delay", asked.append)
    tasks.reconcile()
    assert asked == ["card", "sandbox"]
    for gateway in asked:
        tasks.reconcile_gateway(gateway)
    assert not Payment.objects.filter(check_at__lte=timezone.now()).exists()
