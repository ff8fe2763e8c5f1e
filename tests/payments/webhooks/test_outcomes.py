"""Events about refunds made by hand, payouts and payment methods."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from ledger.models import Transaction
from payments import comparison, confirmation
from payments.gateways.aftermath import PayoutSnapshot
from payments.gateways.errors import GatewayError
from payments.gateways.sandbox import payouts, refunds
from payments.gateways.sandbox.gateway import Sandbox
from payments.gateways.sandbox.models import SandboxSession
from payments.models import Payment, PaymentMethod, Payout, Refund, WebhookEvent
from payments.webhooks import process
from tests.ledger.snapshot import found
from tests.payments.checkouts import start
from tests.payments.rows import balance

pytestmark = pytest.mark.django_db


@pytest.fixture
def paid(alice: User, choose: Callable[..., Any]) -> Payment:
    """A confirmed top-up of 1000.00 roubles whose card is saved."""
    payment = start(alice, amount=1000_00, currency="RUB", save_method=True)
    choose(payment, "succeeds")
    return confirmation.confirm(payment.pk, now=timezone.now())


def processed(subject: str, gateway_id: str) -> WebhookEvent:
    """Process an event about an object and return it."""
    now = timezone.now()
    event = WebhookEvent.objects.create(
        gateway="sandbox", event_id=f"sevt_{WebhookEvent.objects.count()}", type=f"{subject}.changed", subject=subject,
        gateway_id=gateway_id, payload={}, received_at=now, next_try_at=now,
    )  # fmt: skip
    done = process.process(event.pk, now=now)
    assert done is not None
    return done


def test_a_refund_made_at_the_gateway_is_recorded_at_once_and_once(paid: Payment, alice: User) -> None:
    session = SandboxSession.objects.get()
    theirs = refunds.by_hand(session, now=timezone.now())
    events = [processed("refund", theirs.refund_id) for _ in range(2)]
    refund = Refund.objects.get()
    assert [(event.status, event.outcome) for event in events] == [("processed", f"{refund.public_id}: succeeded.")] * 2
    assert (refund.is_made_at_gateway, balance(alice)) == (True, 0)
    [report] = comparison.compare_all(now=timezone.now() + timedelta(seconds=5))
    assert (report.found, found()) == ([], {})


def test_a_refund_that_cannot_be_recorded_is_parked(paid: Payment) -> None:
    session = SandboxSession.objects.get()
    theirs = refunds.by_hand(session, now=timezone.now())
    SandboxSession.objects.update(session_id="sbx_other")
    event = processed("refund", theirs.refund_id)
    assert (event.status, event.outcome) == ("parked", "No payment has the gateway id sbx_other.")
    assert event.next_try_at is not None


def test_a_payout_is_posted_once(paid: Payment) -> None:
    """1000.00 less the fee of 29.00 were taken yesterday, and paid out at midnight."""
    before = timezone.now() - timedelta(days=1)
    SandboxSession.objects.update(created_at=before, succeeds_at=before)
    *_, theirs = payouts.between(before, timezone.now())
    for _ in range(2):
        event = processed("payout", theirs.payout_id)
        payout = Payout.objects.get()
        assert (event.status, event.outcome) == ("processed", f"{payout.public_id}: 971.00 RUB, paid.")
    [report] = comparison.compare_all(now=timezone.now() + timedelta(seconds=5))
    assert (report.report.payouts_posted, Transaction.objects.filter(reason="payout").count(), found()) == (0, 1, {})


def test_a_payout_on_its_way_is_waited_for(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Sandbox, "fetch_payout", lambda _self, _id: None)
    event = processed("payout", "sbp_rub_20261201")
    assert (event.status, event.outcome) == ("processed", "The payout sbp_rub_20261201 has not arrived yet.")
    assert Payout.objects.count() == 0


@pytest.mark.parametrize(
    ("change", "said"),
    [({"amount": 12_01}, "is 12.00 RUB here, not 12.01 RUB"), ({"currency": "XXX", "gateway_id": "po_2"}, "XXX")],
)
def test_a_payout_that_cannot_be_recorded_is_parked(
    db: None, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], said: str
) -> None:
    values: dict[str, Any] = {"gateway_id": "po_1", "amount": 12_00, "currency": "RUB", "arrived_at": timezone.now()}
    monkeypatch.setattr(Sandbox, "fetch_payout", lambda _self, _id: PayoutSnapshot(**values))
    assert processed("payout", "po_1").status == "processed"
    monkeypatch.setattr(Sandbox, "fetch_payout", lambda _self, _id: PayoutSnapshot(**values | change))
    event = processed("payout", "po_1")
    assert event.status == "parked"
    assert said in event.outcome


def test_a_method_that_the_gateway_does_not_show_stays_as_the_payment_said(
    paid: Payment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """YooKassa answers 404 for a method that a payment has saved."""

    def unknown(_self: Sandbox, _id: str) -> Any:
        raise GatewayError("It doesn't exist.", permanent=True, code="not_found")

    monkeypatch.setattr(Sandbox, "fetch_method", unknown)
    method = PaymentMethod.objects.get()
    event = processed("method", method.gateway_id)
    assert (event.status, event.outcome) == ("processed", f"{method.public_id}: unchanged. It doesn't exist.")
    kept = PaymentMethod.objects.get()
    assert (kept.brand, kept.last4, kept.removed_at) == ("Visa", "4242", None)


def test_without_an_answer_about_a_method_the_event_waits(paid: Payment, monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(_self: Sandbox, _id: str) -> Any:
        raise GatewayError("No answer.", permanent=False, code="timeout")

    monkeypatch.setattr(Sandbox, "fetch_method", silent)
    assert processed("method", PaymentMethod.objects.get().gateway_id).status == "parked"
