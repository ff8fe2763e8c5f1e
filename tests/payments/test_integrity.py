"""Every integrity check of payments finds the error planted for it, and no other check does."""

from datetime import timedelta

import pytest
from django.utils import timezone

import ledger
from ledger import wallets
from ledger.money import Money
from payments import checkout, disputes, integrity, refunds, transitions
from payments.gateways.aftermath import DisputeSnapshot, DisputeState
from payments.gateways.sandbox import sessions
from payments.gateways.sandbox.outcomes import ON_THE_PAGE
from payments.models import Dispute, Payment, Refund
from tests.ledger.plant import plant, sql, triggers_of
from tests.ledger.snapshot import found

pytestmark = pytest.mark.django_db
PAYMENT = "payments_payment"


@pytest.fixture(autouse=True)
def paid(alice) -> Payment:
    """A confirmed payment of 500.00 roubles; a second one, of 501.00, is still open."""
    now = timezone.now()
    first, _second = (
        checkout.start(alice, now=now, amount=amount, currency="RUB", gateway="sandbox") for amount in (500_00, 501_00)
    )
    transitions.credit(first, first.money, now=now)
    assert found() == {}
    return first


def post(key: str, debit: int | str, credit: int | str, amount: int, reason: str) -> None:
    later = timezone.now() + timedelta(minutes=1)
    ledger.post([ledger.Entry(key, debit, credit, amount, "RUB", reason, later)])


def test_a_confirmed_payment_without_its_credit_is_found(paid):
    changes = "status = 'confirmed', confirmed_at = now(), amount_received = amount, received_currency = currency"
    plant(PAYMENT, f"UPDATE {PAYMENT} SET {changes} WHERE status = 'pending'")
    assert found() == {"confirmed_payments_are_credited_once": 1, "confirmed_is_told_once_and_final": 1}


@pytest.mark.parametrize("change", ["amount_received = 50001", "received_currency = 'EUR'", "gateway = 'stripe'"])
def test_a_payment_that_differs_from_its_credit_is_found(paid, change):
    plant(PAYMENT, f"UPDATE {PAYMENT} SET {change} WHERE id = %s", paid.pk)
    assert found() == {"confirmed_payments_are_credited_once": 1}


def test_a_payment_credited_to_somebody_else_is_found(paid, mallory):
    plant(PAYMENT, f"UPDATE {PAYMENT} SET customer_id = %s WHERE id = %s", mallory.pk, paid.pk)
    assert found() == {"confirmed_payments_are_credited_once": 1}


def test_a_credit_for_an_unconfirmed_payment_is_found(alice):
    wallet = wallets.wallet_id_of(alice.pk, "RUB")
    still_open = Payment.objects.get(status="pending")
    post(f"payment:{still_open.public_id}", "gateway_clearing:sandbox", wallet, 500_00, "top_up")
    post("payment:pay_nobody", "gateway_clearing:sandbox", wallet, 500_00, "top_up")
    assert found() == {"no_other_payment_is_credited": 2}


def test_money_that_was_sent_back_and_did_not_arrive_is_found():
    """500.00 of the 501.00 asked for were taken and sent back. The refund failed, and nobody waits for the money."""
    payment = Payment.objects.get(status="pending")
    transitions.park(payment, "Too little", now=timezone.now(), received=Money(500_00, "RUB"))
    transitions.close(payment, Payment.Status.CANCELLED, now=timezone.now(), failure_code="sent_back")
    assert found() == {"money_sent_back_is_gone_or_waits": 1}


def test_a_refund_beyond_the_payment_is_found(paid):
    rule = "refunds_never_exceed_the_payment"
    plant(PAYMENT, f"UPDATE {PAYMENT} SET amount_refunded = amount_received + 1 WHERE id = %s", paid.pk, without=rule)
    assert found()["refunds_never_exceed_payments"] == 1


def test_more_refunds_than_payments_at_a_gateway_are_found(alice):
    wallet = wallets.wallet_id_of(alice.pk, "RUB")
    post("gift", "promotions", wallet, 1, "promotion")
    post("refund:1", wallet, "gateway_clearing:sandbox", 500_01, "refund")
    assert found() == {"refunds_never_exceed_payments": 1}


def test_a_confirmed_payment_without_its_event_is_found(paid):
    plant("events_event", "DELETE FROM events_event WHERE subject = %s AND type = 'payment.confirmed'", paid.public_id)
    assert found() == {"confirmed_is_told_once_and_final": 1}


def test_a_later_event_with_another_status_is_found(paid):
    plant(
        "events_event",
        "INSERT INTO events_event (customer_id, type, subject, data, effective_at)"
        " SELECT customer_id, 'payment.failed', subject, '{\"status\": \"failed\"}', now() FROM events_event"
        " WHERE subject = %s AND type = 'payment.confirmed'",
        paid.public_id,
    )
    assert found() == {"confirmed_is_told_once_and_final": 1}


@pytest.mark.parametrize(
    "statement",
    [
        f"DROP TRIGGER payment_moves_along_the_table ON {PAYMENT}",
        f"ALTER TABLE {PAYMENT} DROP CONSTRAINT one_payment_per_gateway_object",
    ],
)
def test_a_missing_guard_is_found(statement):
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    sql(statement)
    assert found() == {"payment_guards_are_there": 1}


def test_the_list_of_triggers_is_complete():
    assert triggers_of("payments_") == sorted(integrity.TRIGGERS)


REFUND, DISPUTE = "payments_refund", "payments_dispute"


@pytest.fixture
def refund(paid) -> Refund:
    """A refund of 100.00 roubles to the card, which the wallet has paid."""
    now = timezone.now()
    assert sessions.choose(paid.gateway_id, ON_THE_PAGE["succeeds"], expected=sessions.Status.OPEN, now=now)
    refund = refunds.issue(paid, now=now, amount=100_00)
    assert (refund.status, found()) == ("succeeded", {})
    return refund


@pytest.fixture
def dispute(paid) -> Dispute:
    """A dispute of 400.00 roubles that was lost."""
    snapshot = DisputeSnapshot(
        gateway_id="dp_1", payment=paid.gateway_id, state=DisputeState.LOST, amount=400_00, currency="RUB"
    )
    dispute = disputes.apply("sandbox", snapshot, now=timezone.now())
    assert found() == {}
    return dispute


def test_a_refund_that_the_payment_does_not_count_is_found(refund):
    plant(PAYMENT, f"UPDATE {PAYMENT} SET amount_refunded = 0 WHERE amount_refunded > 0")
    assert found() == {"refunds_never_exceed_payments": 1}


@pytest.mark.parametrize(
    "change",
    [
        "status = 'failed'",
        "destination = 'wallet'",
        "is_from_wallet = false",
        "gateway = 'card'",
        "public_id = 'ref_x'",
    ],
)
def test_a_refund_that_differs_from_what_the_wallet_paid_is_found(refund, change):
    plant(REFUND, f"UPDATE {REFUND} SET {change}")
    assert "refunds_move_the_wallet_once" in found()


@pytest.mark.parametrize(
    "change",
    ["withdrawn_at = NULL", "amount = 39999", "status = 'won'", "returned_at = now()", "public_id = 'dsp_x'"],
)
def test_a_dispute_that_differs_from_what_was_booked_is_found(dispute, change):
    plant(DISPUTE, f"UPDATE {DISPUTE} SET {change}")
    assert found() == {"disputes_are_booked_once": 1}


def test_a_refund_after_a_lost_dispute_is_found(paid, dispute):
    """The refund is paid for another payment, and then said to be of the disputed one."""
    other = Payment.objects.get(status="pending")
    transitions.credit(other, other.money, now=timezone.now())
    refunds.issue(Payment.objects.get(pk=other.pk), now=timezone.now(), amount=1)
    plant(REFUND, f"UPDATE {REFUND} SET payment_id = %s", paid.pk)
    assert found()["nothing_is_refunded_that_a_bank_took_back"] == 1
