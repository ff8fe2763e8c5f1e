"""Payouts are posted once and reversed once, from the gateway's list or by hand."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from ledger.models import Transaction
from ledger.money import Money, NotMoney
from payments import payouts
from payments.gateways.aftermath import PayoutSnapshot
from payments.gateways.registry import UnknownGateway
from payments.models import Payout
from payments.payouts import PayoutRefused
from tests.ledger.conftest import balance_of
from tests.ledger.snapshot import found

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
CLEARING = "gateway_clearing:sandbox"
INSERT = (
    "INSERT INTO payments_payout (gateway_id, amount, public_id, gateway, currency, arrived_at, is_by_hand, created_at)"
    " VALUES ({}, 'payout_x', 'sandbox', 'EUR', now(), false, now())"
)


def sent(amount: int = 97_10, **more: Any) -> PayoutSnapshot:
    values: dict[str, Any] = {"gateway_id": "po_1", "amount": amount, "currency": "EUR", "arrived_at": NOON}
    return PayoutSnapshot(**values | more)


def record(snapshot: PayoutSnapshot) -> bool:
    return payouts.record("sandbox", snapshot, now=NOON + timedelta(days=1))[1]


def balances() -> tuple[int, int]:
    return balance_of(CLEARING), balance_of("bank")


def by_hand(**changes: Any) -> tuple[Payout, bool]:
    values: dict[str, Any] = {"arrived_at": NOON, "reference": "000123", "now": NOON}
    return payouts.record_by_hand("sandbox", changes.pop("money", Money(97_10, "EUR")), **values | changes)


def test_a_payout_is_posted_once_on_the_day_it_arrived():
    assert [record(sent()), record(sent())] == [True, False]
    assert balances() == (97_10, -97_10)
    assert Transaction.objects.get(reason="payout").effective_at == NOON
    assert found() == {}


def test_a_payout_that_the_bank_sent_back_is_reversed_once():
    record(sent())
    assert [record(sent(is_paid=False)), record(sent(is_paid=False)), record(sent())] == [True, False, False]
    assert balances() == (0, 0)
    assert Transaction.objects.filter(reverses__isnull=False).count() == 1
    assert not Payout.objects.get().is_paid
    assert found() == {}


def test_a_payout_that_we_first_hear_of_when_it_came_back_moves_nothing():
    assert record(sent(is_paid=False))
    assert balances() == (0, 0)
    assert found() == {}


def test_what_the_gateway_takes_from_the_bank_account_goes_the_other_way():
    record(sent(-10_00))
    assert balances() == (-10_00, 10_00)
    assert found() == {}


def test_a_payout_that_changes_is_refused():
    record(sent())
    with pytest.raises(PayoutRefused, match=r"97\.10 EUR here, not 97\.11 EUR"):
        record(sent(97_11))
    assert balances() == (97_10, -97_10)


def test_a_currency_that_we_do_not_know_is_refused():
    with pytest.raises(NotMoney):
        record(sent(currency="XXX"))
    assert not Payout.objects.exists()


def test_the_same_reference_by_hand_is_recorded_once():
    assert [by_hand()[1], by_hand()[1]] == [True, False]
    payout, is_news = by_hand(is_paid=False)
    assert (payout.gateway_id, payout.is_by_hand, payout.is_paid, is_news) == ("000123", True, False, True)
    assert balances() == (0, 0)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"money": Money(0, "EUR")}, "above zero"),
        ({"reference": " "}, "reference"),
        ({"reference": "1" * 121}, "reference"),
        ({"arrived_at": NOON + timedelta(seconds=1)}, "future"),
    ],
)
def test_a_payout_that_cannot_be_is_refused(changes: dict[str, Any], why: str):
    with pytest.raises(PayoutRefused, match=why):
        by_hand(**changes)
    assert not Payout.objects.exists()


def test_nothing_is_recorded_by_hand_for_a_gateway_that_lists_its_payouts():
    record(sent())
    with pytest.raises(PayoutRefused, match="lists its payouts"):
        by_hand()


def test_nothing_is_recorded_for_a_gateway_that_does_not_exist():
    with pytest.raises(UnknownGateway):
        payouts.record_by_hand("nobody", Money(1, "EUR"), arrived_at=NOON, reference="1", now=NOON)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE payments_payout SET amount = 1",
        "UPDATE payments_payout SET gateway_id = 'po_2'",
        "UPDATE payments_payout SET returned_at = NULL",
        "DELETE FROM payments_payout",
        INSERT.format("'po_1', 1"),
        INSERT.format("'po_2', 0"),
    ],
)
def test_the_database_keeps_payouts_as_they_are(statement: str):
    record(sent(is_paid=False))
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
