"""The comparison of refunds and disputes: what was made at the gateway is recorded, the rest is left to staff."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from payments import refunds
from payments.gateways.errors import GatewayError
from payments.gateways.sandbox import disputes as sandbox_disputes
from payments.gateways.sandbox import refunds as sandbox_refunds
from payments.gateways.sandbox.gateway import Sandbox
from payments.gateways.sandbox.models import SandboxDispute, SandboxRefund, SandboxSession
from payments.models import Discrepancy, Dispute, GatewayReport, Payment, Refund
from tests.ledger.snapshot import found
from tests.payments.comparisons import foreign, kinds, run
from tests.payments.faulty_gateway import lose_answer
from tests.payments.rows import balance

pytestmark = pytest.mark.django_db
Choose = Callable[..., Any]


def session_of(payment: Payment) -> SandboxSession:
    return SandboxSession.objects.get(session_id=payment.gateway_id)


def by_hand(payment: Payment) -> SandboxRefund:
    """Refund what is left of a payment at the gateway."""
    return sandbox_refunds.by_hand(session_of(payment), now=timezone.now())


def row() -> tuple[str, str, str, str, bool]:
    """Return what the only discrepancy says."""
    found_row = Discrepancy.objects.get()
    return found_row.subject, found_row.kind, found_row.ours, found_row.theirs, found_row.is_mended


def test_a_refund_made_at_the_gateway_is_recorded_once(paid: Payment, alice: User) -> None:
    theirs = by_hand(paid)
    assert kinds(run(is_dry_run=True)) == [("missing_here", False)]
    assert (balance(alice), Refund.objects.count()) == (1000_00, 0)
    assert kinds(run()) == [("missing_here", True)]
    refund = Refund.objects.get()
    assert row() == ("refund", "missing_here", "", "succeeded, 1000.00 RUB", True)
    stored = Discrepancy.objects.get()
    assert (stored.gateway_id, stored.payment, stored.outcome) == (
        theirs.refund_id, paid, f"Recorded as {refund.public_id}: succeeded.",
    )  # fmt: skip
    assert (refund.is_made_at_gateway, balance(alice)) == (True, 0)
    again = run()
    assert (again.found, again.report.refunds_there, again.report.refunds_here) == ([], 1, 1)
    assert (Refund.objects.count(), found()) == (1, {})


def test_our_refunds_agree(paid: Payment) -> None:
    refunds.issue(paid, now=timezone.now(), amount=300_00)
    refunds.issue(paid, now=timezone.now(), amount=300_00, destination=Refund.Destination.WALLET)
    result = run()
    assert (result.found, result.report.refunds_there, result.report.refunds_here) == ([], 1, 1)


def test_a_refund_of_a_payment_that_we_do_not_have_is_left_to_staff(db: None) -> None:
    theirs = foreign(status="succeeded", amount_received=5_00)
    sandbox_refunds.by_hand(theirs, now=timezone.now())
    result = run()
    assert kinds(result) == [("missing_here", False), ("missing_here", False)]
    assert result.found[1].outcome == f"Left to staff. No payment has the gateway id {theirs.session_id}."


def test_a_refund_that_failed_at_the_gateway_before_we_knew_is_no_difference(paid: Payment) -> None:
    by_hand(paid)
    SandboxRefund.objects.update(settles_as="failed")
    assert run().found == []


def test_a_refund_that_the_gateway_does_not_know_is_missing_there(paid: Payment) -> None:
    refund = refunds.issue(paid, now=timezone.now(), amount=300_00)
    SandboxRefund.objects.all().delete()
    assert kinds(run()) == [("missing_there", False)]
    assert row() == ("refund", "missing_there", f"{refund.public_id} succeeded, 300.00 RUB", "", False)
    stored = Discrepancy.objects.get()
    assert (stored.payment, stored.outcome) == (paid, f"Left to staff. There is no {refund.gateway_id}.")


def test_another_amount_is_left_to_staff(paid: Payment, alice: User) -> None:
    refund = refunds.issue(paid, now=timezone.now(), amount=300_00)
    SandboxRefund.objects.update(amount=299_00)
    assert kinds(run()) == [("amount", False)]
    assert row() == (
        "refund", "amount", f"{refund.public_id} succeeded, 300.00 RUB", "succeeded, 299.00 RUB", False,
    )  # fmt: skip
    assert balance(alice) == 700_00


def test_a_state_that_we_missed_is_taken_over(paid: Payment, alice: User) -> None:
    refund = refunds.issue(paid, now=timezone.now(), amount=300_00)
    SandboxRefund.objects.update(settles_as="failed")
    assert kinds(run()) == [("status", True)]
    refund.refresh_from_db()
    assert (refund.status, balance(alice), run().found, found()) == ("failed", 1000_00, [], {})


def test_a_refund_that_has_failed_here_and_succeeded_there_is_left_to_staff(paid: Payment, alice: User) -> None:
    refund = refunds.issue(paid, now=timezone.now(), amount=300_00)
    SandboxRefund.objects.update(settles_as="failed")
    refunds.send(refund, now=timezone.now())
    SandboxRefund.objects.update(settles_as="succeeded")
    assert kinds(run()) == [("status", False)]
    assert (Discrepancy.objects.get().outcome, balance(alice)) == ("Left to staff.", 1000_00)


def test_a_refund_whose_answer_was_lost_gets_its_id(paid: Payment, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        lose_answer(patch, Sandbox, "refund")
        refund = refunds.issue(paid, now=timezone.now(), amount=300_00)
    assert run().found == []
    refund.refresh_from_db()
    assert (refund.status, refund.gateway_id) == ("succeeded", SandboxRefund.objects.get().refund_id)


def test_a_list_that_breaks_off_makes_the_report_incomplete(paid: Payment, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_self: Sandbox, **_span: Any) -> Any:
        raise GatewayError("No answer.", permanent=False, code="timeout")

    monkeypatch.setattr(Sandbox, "list_refunds", broken)
    monkeypatch.setattr(Sandbox, "list_disputes", broken)
    run()
    report = GatewayReport.objects.get()
    assert report.failures == ["The list is incomplete: No answer."] * 2
    assert (report.payments_failure, report.payments_there, report.is_complete) == ("", 1, False)


def test_one_that_cannot_be_recorded_stops_no_other(paid: Payment, alice: User, choose: Choose) -> None:
    theirs = foreign(status="succeeded", amount_received=5_00)
    sandbox_refunds.by_hand(theirs, now=timezone.now())
    by_hand(paid)
    result = run()
    assert [each.is_mended for each in result.found if each.subject == "refund"] == [False, True]
    assert balance(alice) == 0


# Disputes


def test_a_dispute_that_we_missed_is_recorded_once(paid: Payment, alice: User) -> None:
    theirs = sandbox_disputes.open_dispute(session_of(paid).session_id, now=timezone.now())
    assert theirs is not None
    assert kinds(run(is_dry_run=True)) == [("missing_here", False)]
    assert Dispute.objects.count() == 0
    assert kinds(run()) == [("missing_here", True)]
    dispute = Dispute.objects.get()
    assert row() == ("dispute", "missing_here", "", "open, 1000.00 RUB", True)
    assert (dispute.gateway_id, dispute.status, balance(alice)) == (theirs.dispute_id, "open", 0)
    again = run()
    assert (again.found, again.report.disputes_there, found()) == ([], 1, {})


def test_a_decision_that_we_missed_is_taken_over(paid: Payment, alice: User) -> None:
    theirs = sandbox_disputes.open_dispute(session_of(paid).session_id, now=timezone.now())
    assert theirs is not None
    run()
    now = timezone.now()
    sandbox_disputes.decide(theirs.dispute_id, SandboxDispute.Status.WON, at=now, now=now)
    assert kinds(run()) == [("status", True)]
    assert (Dispute.objects.get().status, balance(alice), found()) == ("won", 1000_00, {})


def test_a_dispute_that_is_lost_there_and_won_here_is_left_to_staff(paid: Payment, alice: User) -> None:
    theirs = sandbox_disputes.open_dispute(session_of(paid).session_id, now=timezone.now())
    assert theirs is not None
    now = timezone.now()
    sandbox_disputes.decide(theirs.dispute_id, SandboxDispute.Status.WON, at=now, now=now)
    run()
    SandboxDispute.objects.update(settles_as="lost")
    assert kinds(run()) == [("status", False)]
    assert balance(alice) == 1000_00


def test_a_dispute_that_the_gateway_does_not_know_is_missing_there(paid: Payment) -> None:
    sandbox_disputes.open_dispute(session_of(paid).session_id, now=timezone.now())
    run()
    SandboxDispute.objects.all().delete()
    assert kinds(run()) == [("missing_there", False)]


def test_a_dispute_of_a_payment_that_we_do_not_have_is_left_to_staff(db: None) -> None:
    theirs = foreign(status="succeeded", amount_received=5_00, succeeds_at=timezone.now() - timedelta(seconds=1))
    sandbox_disputes.open_dispute(theirs.session_id, now=timezone.now())
    assert [(each.subject, each.is_mended) for each in run().found] == [("payment", False), ("dispute", False)]
