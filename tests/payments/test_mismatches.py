"""A parked payment has two exits: what was taken is accepted as a top-up, or sent back."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from payments import confirmation, discrepancies, disputes, mismatches, reconciliation, refunds
from payments.gateways.errors import GatewayError
from payments.gateways.sandbox import disputes as bank
from payments.gateways.sandbox.gateway import Sandbox
from payments.gateways.sandbox.models import SandboxDispute, SandboxRefund
from payments.gateways.sessions import Snapshot, State
from payments.mismatches import NotParked
from payments.models import Payment
from subscriptions.models import Price, Subscription
from tests.ledger.snapshot import found
from tests.payments.checkouts import start
from tests.payments.rows import balance, events

pytestmark = pytest.mark.django_db


@pytest.fixture
def half_paid(alice: User, basic: Price, choose: Callable[..., Any]) -> Payment:
    """A payment of 990.00 roubles for a plan, of which the gateway took 495.00."""
    payment = start(alice, plan="basic")
    choose(payment, "wrong_amount")
    return confirmation.confirm(payment.pk, now=timezone.now())


def test_what_was_taken_is_known_and_not_credited(half_paid: Payment, alice: User) -> None:
    assert (half_paid.status, half_paid.amount_received, balance(alice)) == ("unknown", 495_00, 0)
    assert "495.00" in half_paid.parked_reason


def test_accepted_it_is_a_top_up_and_the_order_waits_on(half_paid: Payment, alice: User, staff: User) -> None:
    payment = mismatches.accept(half_paid, author=staff, now=timezone.now())
    assert (payment.status, payment.parked_reason, balance(alice)) == ("confirmed", "", 495_00)
    assert Subscription.objects.get().status == "pending"
    with pytest.raises(NotParked):
        mismatches.accept(half_paid, author=staff, now=timezone.now())
    assert balance(alice) == 495_00
    assert found() == {}


def test_sent_back_the_wallet_is_not_touched(half_paid: Payment, alice: User, staff: User) -> None:
    refund = mismatches.send_back(half_paid, author=staff, now=timezone.now())
    half_paid.refresh_from_db()
    assert (refund.status, refund.amount, half_paid.status) == ("succeeded", 495_00, "cancelled")
    assert (balance(alice), SandboxRefund.objects.get().amount) == (0, 495_00)
    for exit_ in (mismatches.accept, mismatches.send_back):
        with pytest.raises(NotParked):
            exit_(half_paid, author=staff, now=timezone.now())
    assert found() == {}


def test_what_could_not_be_sent_back_waits_for_another_decision(
    half_paid: Payment, alice: User, staff: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_self: Sandbox, _request: Any) -> Any:
        raise GatewayError("Too old.", permanent=True, code="too_old")

    with monkeypatch.context() as patch:
        patch.setattr(Sandbox, "refund", refuse)
        refund = mismatches.send_back(half_paid, author=staff, now=timezone.now())
    assert (refund.status, balance(alice)) == ("failed", 0)
    mismatches.accept(half_paid, author=staff, now=timezone.now())
    assert balance(alice) == 495_00
    assert found() == {}


def test_while_it_is_being_sent_back_it_is_not_accepted(
    half_paid: Payment, alice: User, staff: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(_self: Sandbox, _request: Any) -> Any:
        raise GatewayError("No answer.", permanent=False, code="timeout")

    with monkeypatch.context() as patch:
        patch.setattr(Sandbox, "refund", silent)
        refund = mismatches.send_back(half_paid, author=staff, now=timezone.now())
    with pytest.raises(NotParked):
        mismatches.accept(half_paid, author=staff, now=timezone.now())
    assert refunds.send(refund, now=timezone.now()).status == "succeeded"
    assert balance(alice) == 0


@pytest.mark.parametrize(
    ("state", "amount"),
    [(State.SUCCEEDED, 990_00), (State.SUCCEEDED, 100_00), (State.FAILED, None), (State.OPEN, None)],
)
def test_another_answer_while_it_is_being_sent_back_moves_nothing(
    half_paid: Payment, alice: User, staff: User, monkeypatch: pytest.MonkeyPatch, state: State, amount: int | None
) -> None:
    """495.00 are on their way back. An answer that 990.00 were taken credits nothing, or 495.00 would be paid twice."""

    def silent(_self: Sandbox, _request: Any) -> Any:
        raise GatewayError("No answer.", permanent=False, code="timeout")

    with monkeypatch.context() as patch:
        patch.setattr(Sandbox, "refund", silent)
        refund = mismatches.send_back(half_paid, author=staff, now=timezone.now())
    answer = Snapshot(gateway_id=half_paid.gateway_id or "", state=state, amount=amount, currency="RUB")
    payment = confirmation.apply(half_paid.pk, answer, now=timezone.now())
    assert (payment.status, payment.parked_reason) == ("unknown", half_paid.parked_reason)
    assert (payment.amount_received, payment.amount_refunded, balance(alice)) == (495_00, 495_00, 0)
    refunds.send(refund, now=timezone.now())
    half_paid.refresh_from_db()
    assert (half_paid.status, half_paid.is_sent_back, balance(alice), found()) == ("cancelled", True, 0, {})


def test_what_was_sent_back_and_did_not_arrive_waits_for_staff_again(
    half_paid: Payment, alice: User, staff: User
) -> None:
    """A bank may return a refund days after it succeeded. The 495.00 are at the gateway again, and not credited."""
    refund = mismatches.send_back(half_paid, author=staff, now=timezone.now())
    half_paid.refresh_from_db()
    assert half_paid.is_sent_back
    SandboxRefund.objects.update(settles_as="failed")
    for days in (5, 6):
        refund = refunds.send(refund, now=timezone.now() + timedelta(days=days))
    half_paid.refresh_from_db()
    assert (refund.status, half_paid.status, half_paid.refundable, balance(alice)) == ("failed", "unknown", 495_00, 0)
    assert half_paid.parked_reason == (
        f"495.00 RUB was sent back as {refund.public_id} and did not arrive: {refund.failure_code}"
    )
    assert events(half_paid) == ["payment.parked", "payment.cancelled", "payment.parked"]
    assert discrepancies.difference(half_paid, confirmation.ask(half_paid)) == "amount"  # type: ignore[arg-type]
    again = mismatches.send_back(half_paid, author=staff, now=timezone.now() + timedelta(days=7))
    assert again.amount == 495_00
    assert found() == {}


@pytest.mark.parametrize("state", ["open", "lost"])
def test_a_disputed_payment_is_not_sent_back_and_its_dispute_is_booked_once_it_is_accepted(
    half_paid: Payment, alice: User, staff: User, state: str
) -> None:
    """The bank has taken the 495.00 back. Staff decide five days later, when its webhook is long forgotten."""
    now = timezone.now()
    theirs = bank.open_dispute(half_paid.gateway_id or "", now=now)
    assert theirs is not None
    if state == "lost":
        bank.decide(theirs.dispute_id, SandboxDispute.Status.LOST, at=now, now=now)
    dispute = disputes.refresh("sandbox", theirs.dispute_id, now=now)
    assert (dispute.status, dispute.amount, dispute.withdrawn_at, balance(alice)) == (state, 495_00, None, 0)
    assert found() == {}
    with pytest.raises(refunds.RefundRefused, match="bank"):
        mismatches.send_back(half_paid, author=staff, now=now)
    later = now + timedelta(days=5)
    reconciliation.check_all(now=later)
    half_paid.refresh_from_db()
    assert (half_paid.status, balance(alice)) == ("unknown", 0)
    mismatches.accept(half_paid, author=staff, now=later)
    assert (balance(alice), found()) == (495_00, {})
    reconciliation.check_all(now=later)
    dispute.refresh_from_db()
    assert (dispute.status, dispute.withdrawn_at, balance(alice), found()) == (state, later, 0, {})


def test_another_payment_is_not_parked(alice: User, staff: User) -> None:
    with pytest.raises(NotParked):
        mismatches.accept(start(alice, amount=1000_00, currency="RUB"), author=staff, now=timezone.now())
