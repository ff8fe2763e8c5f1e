"""Every integrity check of payments finds the error planted for it, and no other check does."""

from datetime import timedelta

import pytest
from django.utils import timezone

import ledger
from ledger import wallets
from payments import checkout, integrity, transitions
from payments.models import Payment
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
