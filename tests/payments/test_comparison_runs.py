"""What a comparison does when a gateway fails, over which spans it goes, its payouts, a dry run, and its tasks."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from ledger.models import Transaction
from payments import checkout, comparison, confirmation, reports, tasks, transitions
from payments.gateways.aftermath import PayoutSnapshot
from payments.gateways.errors import GatewayError
from payments.gateways.registry import UnknownGateway
from payments.gateways.sandbox.gateway import Sandbox
from payments.gateways.sandbox.models import SandboxSession
from payments.gateways.sessions import Snapshot
from payments.models import Discrepancy, GatewayReport, Payment, Payout
from tests.ledger.snapshot import found
from tests.payments import faulty_gateway
from tests.payments.checkouts import start
from tests.payments.comparisons import at_gateway, foreign, kinds, run
from tests.payments.faulty_gateway import Unsteady

pytestmark = pytest.mark.django_db
Choose = Callable[..., Any]
NO_ANSWER = GatewayError("No answer.", permanent=False, code="timeout")


# What could not be asked


def test_an_incomplete_list_says_so_and_concludes_nothing_is_missing_there(
    paid: Payment, alice: User, choose: Choose, monkeypatch: pytest.MonkeyPatch
):
    missed = start(alice, amount=200_00, currency="RUB")
    choose(missed, "webhook_lost")
    SandboxSession.objects.filter(session_id=paid.gateway_id).delete()
    plain = Sandbox.list_payments

    def breaks(self: Sandbox, **span: Any) -> Iterator[Snapshot]:
        yield from plain(self, **span)
        raise NO_ANSWER

    monkeypatch.setattr(reports, "WINDOW", timedelta(days=9))
    monkeypatch.setattr(reports, "CHUNK", 1)
    monkeypatch.setattr(Sandbox, "list_payments", breaks)
    result = run()
    # What was listed before it broke is compared and mended.
    assert kinds(result) == [("status", True)]
    stored = GatewayReport.objects.get()
    assert (stored.is_complete, stored.payments_failure) == (False, "The list is incomplete: No answer.")
    assert (stored.payouts_failure, stored.finished_at is None) == ("", False)


def test_no_answer_about_a_payment_that_the_list_lacks_concludes_nothing(
    paid: Payment, monkeypatch: pytest.MonkeyPatch, unsteady: type[Unsteady]
):
    monkeypatch.setattr(Sandbox, "list_payments", lambda self, **span: iter(()))
    unsteady.fetch_breaks = 1
    result = run()
    assert (result.found, result.report.is_complete) == ([], False)
    assert result.report.payments_failure.startswith("1 payments")
    # It is only absent from the list: the gateway knows it.
    assert run().report.is_complete
    assert not Discrepancy.objects.exists()


def test_no_answer_while_mending_leaves_the_discrepancy(opened: Payment, choose: Choose, unsteady: type[Unsteady]):
    choose(opened, "webhook_lost")
    unsteady.fetch_breaks = 1
    [row] = run().found
    assert (row.kind, row.is_mended, row.outcome) == ("status", False, "The gateway gave no answer: No answer.")
    assert kinds(run()) == [("status", True)]


@pytest.mark.django_db(transaction=True)
def test_no_gateway_is_asked_within_a_transaction(opened: Payment, choose: Choose, unsteady: type[Unsteady]):
    choose(opened, "webhook_lost")
    assert kinds(run()) == [("status", True)]
    assert unsteady.in_transaction == [False]


def test_a_payment_that_raises_stops_no_other(opened: Payment, alice: User, choose: Choose, monkeypatch: Any):
    second = start(alice, amount=200_00, currency="RUB")
    for payment in (opened, second):
        choose(payment, "webhook_lost")
    plain = confirmation.apply

    def apply(payment_id: int, *args: Any, **named: Any) -> Payment:
        if payment_id == opened.pk:
            raise RuntimeError("Broken.")
        return plain(payment_id, *args, **named)

    monkeypatch.setattr(confirmation, "apply", apply)
    result = run()
    assert kinds(result) == [("status", False), ("status", True)]
    assert result.found[0].outcome == "Left to staff. RuntimeError: Broken."


def test_one_gateway_that_fails_does_not_stop_the_others(paid: Payment, settings: Any, monkeypatch: Any):
    def broken(self: Sandbox, **span: Any) -> Iterator[Snapshot]:
        raise RuntimeError("Broken.")

    monkeypatch.setattr(faulty_gateway.Card, "list_payments", broken, raising=False)
    # Not offered to customers, and asked all the same.
    settings.GATEWAY_CLASSES = {"card": faulty_gateway.CARD} | settings.GATEWAY_CLASSES
    settings.PAYMENT_GATEWAYS = ["sandbox"]
    card, sandbox = comparison.compare_all(now=timezone.now() + timedelta(seconds=5))
    assert "Broken." in card.report.payments_failure
    assert (sandbox.report.is_complete, sandbox.report.payments_there) == (True, 1)
    assert GatewayReport.objects.count() == 2


def test_a_gateway_that_the_site_does_not_have_is_refused():
    with pytest.raises(UnknownGateway):
        comparison.compare_all(now=timezone.now(), only="nobody")


# Spans


def test_a_payment_made_there_in_the_next_window_is_not_missing(alice: User, choose: Choose):
    payment = start(alice, amount=1000_00, currency="RUB")
    choose(payment, "succeeds")
    confirmation.confirm(payment.pk, now=timezone.now())
    at_gateway(payment, created_at=payment.created_at + timedelta(days=1))
    result = run(full=True)
    assert (result.found, result.report.is_complete) == ([], True)


def test_the_daily_run_looks_three_days_back_and_a_full_one_to_the_first_payment(alice: User, choose: Choose):
    now = timezone.now()
    early = start_at(alice, now - timedelta(days=40))
    SandboxSession.objects.all().delete()
    assert run().found == []
    reached = []
    result = run(full=True, watch=lambda _run, at: reached.append(at))
    assert (kinds(result), result.report.since) == ([("missing_there", False)], early.created_at)
    # 40 days and some seconds: a call for each chunk and each window.
    assert (len(set(reached)), reached) == (41, sorted(reached))


def start_at(customer: User, at: datetime) -> Payment:
    """Return a payment that was confirmed at that time."""
    payment = checkout.start(customer, now=at, amount=1000_00, currency="RUB")
    transitions.credit(transitions.lock(payment.pk), payment.money, now=at)
    return payment


# Payouts, and a dry run


def payout(**changes: Any) -> PayoutSnapshot:
    values: dict[str, Any] = {"gateway_id": "po_1", "amount": 971_00, "currency": "RUB", "arrived_at": timezone.now()}
    return PayoutSnapshot(**values | changes)


def test_payouts_that_the_gateway_lists_are_posted_once(paid: Payment, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Sandbox, "list_payouts", lambda self, **span: iter([payout()]))
    assert [run().report.payouts_posted, run().report.payouts_posted] == [1, 0]
    assert Payout.objects.get().amount == 971_00
    assert found() == {}


def test_a_payout_that_is_refused_stops_no_other(paid: Payment, monkeypatch: pytest.MonkeyPatch):
    listed = [payout(), payout(amount=1), payout(gateway_id="po_2", currency="XXX"), payout(gateway_id="po_3")]
    monkeypatch.setattr(Sandbox, "list_payouts", lambda self, **span: iter(listed))
    report = run().report
    assert (report.payouts_posted, report.is_complete) == (2, False)
    assert "not 0.01 RUB" in report.payouts_failure


def test_a_dry_run_shows_all_and_writes_nothing(
    opened: Payment, alice: User, choose: Choose, monkeypatch: pytest.MonkeyPatch
):
    choose(opened, "webhook_lost")
    unpaid_fee = start(alice, amount=200_00, currency="RUB")
    choose(unpaid_fee, "webhook_lost")
    transitions.credit(transitions.lock(unpaid_fee.pk), unpaid_fee.money, now=timezone.now())
    foreign()
    monkeypatch.setattr(Sandbox, "list_payouts", lambda self, **span: iter([payout()]))
    before = Transaction.objects.count()
    result = run(is_dry_run=True)
    assert kinds(result) == [("status", False), ("missing_here", False)]
    assert (result.report.fees_posted, result.report.payouts_posted, result.report.left) == (1, 1, 2)
    opened.refresh_from_db()
    assert (opened.status, Transaction.objects.count()) == ("pending", before)
    assert [model.objects.count() for model in (GatewayReport, Discrepancy, Payout)] == [0, 0, 0]


# Tasks


def test_each_gateway_is_compared_in_a_task_of_its_own(paid: Payment, monkeypatch: pytest.MonkeyPatch):
    sent: list[str] = []
    monkeypatch.setattr(tasks.compare_gateway, "delay", sent.append)
    tasks.compare_gateways()
    assert sent == ["sandbox"]
    tasks.compare_gateway("sandbox")
    assert GatewayReport.objects.get().is_complete
