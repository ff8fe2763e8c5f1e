"""The comparison with a gateway's list finds each kind of difference, both ways, and mends only what is safe."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from ledger.models import Transaction
from payments import confirmation, mismatches, refunds, transitions
from payments.gateways.sandbox.gateway import Sandbox
from payments.gateways.sandbox.models import SandboxSession
from payments.gateways.sessions import Snapshot
from payments.models import Discrepancy, GatewayReport, Payment
from tests.ledger.snapshot import found
from tests.payments.checkouts import start
from tests.payments.comparisons import at_gateway, foreign, kinds, run
from tests.payments.faulty_gateway import Unsteady
from tests.payments.rows import balance, times_credited

pytestmark = pytest.mark.django_db
Choose = Callable[..., Any]


# What agrees


def test_nothing_is_found_when_both_sides_agree(paid: Payment, alice: User):
    start(alice, amount=200_00, currency="RUB")
    result = run()
    assert (result.found, result.report.is_complete) == ([], True)
    stored = GatewayReport.objects.get()
    assert (stored.payments_there, stored.payments_here, stored.left, stored.mended) == (2, 2, 0, 0)


@pytest.mark.parametrize("outcome", ["expired_card", "cancel"])
def test_ways_to_end_without_money_are_all_the_same(opened: Payment, choose: Choose, outcome: str):
    choose(opened, outcome)
    confirmation.confirm(opened.pk, now=timezone.now())
    at_gateway(opened, status="expired")
    assert run().found == []


def test_refunded_payments_agree(paid: Payment):
    refunds.issue(paid, now=timezone.now())
    assert run().found == []


# The five kinds


@pytest.mark.parametrize("paid_there", [{}, {"status": "succeeded", "amount_received": 5_00}])
def test_a_payment_that_we_do_not_have_is_missing_here(paid: Payment, paid_there: dict[str, Any]):
    theirs = foreign(**paid_there)
    result = run()
    assert kinds(result) == [("missing_here", False)]
    row = Discrepancy.objects.get()
    assert (row.gateway_id, row.payment, row.ours) == (theirs.session_id, None, "")
    assert row.theirs == ("succeeded, 5.00 EUR, fee 0.15 EUR" if paid_there else "open")


def test_a_payment_that_the_gateway_does_not_know_is_missing_there(paid: Payment):
    SandboxSession.objects.all().delete()
    assert kinds(run()) == [("missing_there", False)]
    row = Discrepancy.objects.get()
    assert (row.payment, row.ours, row.theirs) == (paid, "confirmed, 1000.00 RUB, fee 29.00 RUB", "")
    assert row.outcome == f"Left to staff. There is no {paid.gateway_id}."


def test_nobody_needs_to_know_of_a_page_without_money_that_is_missing_there(opened: Payment, choose: Choose):
    choose(opened, "cancel")
    confirmation.confirm(opened.pk, now=timezone.now())
    SandboxSession.objects.all().delete()
    assert run().found == []


@pytest.mark.parametrize(
    ("change", "kind", "theirs"),
    [
        ({"amount_received": 999_99}, "amount", "succeeded, 999.99 RUB, fee 29.00 RUB"),
        ({"currency_received": "EUR"}, "currency", "succeeded, 1000.00 EUR, fee 29.00 EUR"),
        ({"status": "failed"}, "status", "failed"),
        ({"status": "open"}, "status", "open"),
    ],
)
def test_a_confirmed_payment_that_differs_is_left_to_staff(
    paid: Payment, alice: User, change: dict[str, Any], kind: str, theirs: str
):
    at_gateway(paid, **change)
    assert kinds(run()) == [(kind, False)]
    row = Discrepancy.objects.get()
    assert (row.payment, row.gateway_id, row.theirs) == (paid, paid.gateway_id, theirs)
    paid.refresh_from_db()
    assert (paid.status, balance(alice), found()) == ("confirmed", 1000_00, {})


def test_a_fee_that_changed_is_shown(paid: Payment, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("payments.gateways.sandbox.models.FEE", 30)
    result = run()
    assert kinds(result) == [("amount", False)]
    assert [text.split(", ")[-1] for text in (result.found[0].ours, result.found[0].theirs)] == [
        "fee 29.00 RUB", "fee 30.00 RUB",
    ]  # fmt: skip
    assert Transaction.objects.filter(reason="fee").count() == 1


@pytest.mark.parametrize(("outcome", "kind"), [("wrong_amount", "amount"), ("wrong_currency", "currency")])
def test_a_parked_payment_is_shown_until_staff_have_decided(
    opened: Payment, choose: Choose, staff: User, outcome: str, kind: str
):
    choose(opened, outcome)
    for _ in range(2):
        result = run()
        assert kinds(result) == [(kind, False)]
    opened.refresh_from_db()
    assert opened.parked_reason in result.found[0].outcome
    mismatches.accept(opened, author=staff, now=timezone.now())
    assert run().found == []
    assert run().report.fees_posted == 0
    assert found() == {}


def test_a_parked_payment_that_was_sent_back_agrees(opened: Payment, choose: Choose, staff: User):
    choose(opened, "wrong_amount")
    payment = confirmation.confirm(opened.pk, now=timezone.now())
    mismatches.send_back(payment, author=staff, now=timezone.now())
    assert run().found == []


# Mending


def test_money_that_we_missed_is_credited_once(opened: Payment, choose: Choose, alice: User):
    choose(opened, "webhook_lost")
    assert kinds(run()) == [("status", True)]
    row = Discrepancy.objects.get()
    assert (row.ours, row.theirs) == ("pending, 1000.00 RUB", "succeeded, 1000.00 RUB, fee 29.00 RUB")
    assert row.outcome == f"{opened.public_id} is confirmed now."
    assert (balance(alice), run().found) == (1000_00, [])
    assert times_credited(opened) == 1
    assert found() == {}


@pytest.mark.parametrize("status", ["failed", "cancelled", "expired"])
def test_late_money_of_an_ended_payment_is_credited(opened: Payment, choose: Choose, alice: User, status: str):
    transitions.close(transitions.lock(opened.pk), Payment.Status(status), now=timezone.now())
    choose(opened, "webhook_lost")
    assert kinds(run()) == [("status", True)]
    assert balance(alice) == 1000_00


def test_an_end_that_we_missed_is_taken_over(opened: Payment, choose: Choose):
    choose(opened, "expired_card")
    assert kinds(run()) == [("status", True)]
    opened.refresh_from_db()
    assert opened.status == "failed"


def test_a_fee_that_we_missed_is_posted_once(opened: Payment, choose: Choose):
    choose(opened, "webhook_lost")
    transitions.credit(transitions.lock(opened.pk), opened.money, now=timezone.now())
    assert [run().report.fees_posted, run().report.fees_posted] == [1, 0]
    # 2.9 % of 1000.00.
    assert Transaction.objects.get(reason="fee").amount == 29_00
    assert found() == {}


def test_a_payment_whose_answer_was_lost_is_adopted(alice: User, choose: Choose, unsteady: type[Unsteady]):
    unsteady.break_after = 1
    with pytest.raises(Exception, match="did not answer"):
        start(alice, amount=1000_00, currency="RUB")
    payment = Payment.objects.get()
    assert (payment.status, payment.gateway_id) == ("unknown", None)
    # Its page still waits: the sweep gets that, with its address.
    assert run().found == []
    SandboxSession.objects.update(status="succeeded", amount_received=1000_00)
    result = run()
    payment.refresh_from_db()
    assert kinds(result) == [("missing_here", True)]
    assert (payment.gateway_id, payment.status) == (SandboxSession.objects.get().session_id, "confirmed")
    assert (balance(alice), run().found, found()) == (1000_00, [], {})


def test_a_second_page_of_ours_counts_only_when_money_came(paid: Payment):
    second = foreign(idempotency_key="second")
    SandboxSession.objects.filter(session_id=paid.gateway_id).update(idempotency_key="first")
    SandboxSession.objects.filter(pk=second.pk).update(idempotency_key=paid.public_id)
    assert run().found == []
    SandboxSession.objects.filter(pk=second.pk).update(status="succeeded", amount_received=5_00)
    [row] = run().found
    assert (row.kind, row.payment, row.gateway_id, row.is_mended) == ("missing_here", paid, second.session_id, False)


def test_what_is_confirmed_while_the_list_is_read_is_no_difference(
    opened: Payment, choose: Choose, monkeypatch: pytest.MonkeyPatch
):
    plain = Sandbox.list_payments

    def slow(self: Sandbox, **span: Any) -> Iterator[Snapshot]:
        before = list(plain(self, **span))
        choose(opened, "succeeds")
        confirmation.confirm(opened.pk, now=timezone.now())
        yield from before

    monkeypatch.setattr(Sandbox, "list_payments", slow)
    assert run().found == []
