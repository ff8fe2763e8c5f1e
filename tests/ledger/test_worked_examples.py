"""The postings of each event and the resulting balances, in cents: balance = credits - debits.

Each test posts the entries of one event and then reads every account of the currency. All balances add up to zero.
"""

from datetime import timedelta
from uuid import uuid4

import pytest

import ledger
from ledger import reversal, statements
from ledger.models import Account, Transaction
from tests.ledger.conftest import CLEARING, NOON, entry

pytestmark = pytest.mark.django_db


def books() -> dict[str, int]:
    """Return the non-zero balances by account name, after checking that they add up to zero."""
    balances = {account.code or account.kind: statements.balance(account.pk) for account in Account.objects.all()}
    assert sum(balances.values()) == statements.trial_balance("EUR") == 0
    return {name: balance for name, balance in balances.items() if balance}


def post(*entries: ledger.Entry) -> None:
    """Post the entries and assert that all of them were posted."""
    assert {posted.outcome for posted in ledger.post(entries)} == {ledger.Outcome.POSTED}


@pytest.fixture
def paid(wallet: int) -> int:
    """Alice's wallet, after a top-up of 100.00."""
    post(entry("payment:pay_1", CLEARING, wallet, 100_00, reason="top_up"))
    return wallet


def test_a_confirmed_payment(paid):
    # The gateway owes us 100.00, and we owe Alice 100.00.
    assert books() == {CLEARING: -100_00, "wallet": 100_00}


def test_the_fee_of_the_gateway(paid):
    post(entry("fee:pay_1", "gateway_fees", CLEARING, 2_90, reason="fee"))
    # The gateway owes us 97.10 now, 2.90 is our cost, and Alice still has 100.00.
    assert books() == {CLEARING: -97_10, "gateway_fees": -2_90, "wallet": 100_00}


def test_the_charge_of_a_period(paid):
    post(entry("charge:1", paid, "revenue", 30_00, reason="charge"))
    assert books() == {CLEARING: -100_00, "revenue": 30_00, "wallet": 70_00}


def test_the_refund_of_unused_time(paid):
    post(
        entry("charge:1", paid, "revenue", 30_00, reason="charge"),
        # Two thirds of the period are left.
        entry("unused:1", "revenue", paid, 20_00, reason="unused_refund", effective_at=NOON + timedelta(days=10)),
    )
    assert books() == {CLEARING: -100_00, "revenue": 10_00, "wallet": 90_00}


def test_a_refund_to_the_card(paid):
    post(entry("refund:ref_1", paid, CLEARING, 40_00, reason="refund"))
    assert books() == {CLEARING: -60_00, "wallet": 60_00}


def test_a_refund_above_the_balance_is_refused(paid):
    [posted] = ledger.post([entry("refund:ref_1", paid, CLEARING, 100_01, reason="refund")])
    assert posted.outcome is ledger.Outcome.INSUFFICIENT
    assert books() == {CLEARING: -100_00, "wallet": 100_00}


def test_adjustments_by_staff(paid, staff):
    post(
        entry("adjustment:1", "adjustments", paid, 5_00, description="an hour of outage", author=staff.pk),
        entry("adjustment:2", paid, "adjustments", 2_00, description="was two fifths of that", author=staff.pk),
    )
    assert books() == {CLEARING: -100_00, "adjustments": -3_00, "wallet": 103_00}


def test_a_promotion(wallet):
    post(entry("promotion:spring:alice", "promotions", wallet, 10_00, reason="promotion"))
    assert books() == {"promotions": -10_00, "wallet": 10_00}


def chargeback(wallet: int, debt: int, *, from_wallet: int, owed: int) -> None:
    """Post a chargeback: the bank took the money back from the gateway, and the gateway from us.

    Take `from_wallet` from the wallet; the rest, `owed`, becomes a debt.
    """
    group = uuid4()
    post(
        entry("chargeback:dp_1:wallet", wallet, "disputes", from_wallet, reason="chargeback", group=group),
        entry("chargeback:dp_1:debt", debt, "disputes", owed, reason="chargeback", group=group),
        entry("chargeback:dp_1:gateway", "disputes", CLEARING, from_wallet + owed, reason="chargeback", group=group),
    )


@pytest.fixture
def disputed(paid: int, debt: int) -> int:
    """Alice's wallet, after she used 70.00 of her 100.00 and her bank took all 100.00 back."""
    post(entry("charge:1", paid, "revenue", 70_00, reason="charge"))
    chargeback(paid, debt, from_wallet=30_00, owed=70_00)
    return paid


def test_a_chargeback_above_the_balance_leaves_a_debt(disputed):
    # The gateway owes us nothing. Alice has nothing and owes us the 70.00 that she used.
    assert books() == {"revenue": 70_00, "debt": -70_00}


def test_the_next_top_up_pays_the_debt_first(disputed, debt):
    group = uuid4()
    post(
        entry("payment:pay_2", CLEARING, disputed, 100_00, reason="top_up", group=group),
        entry("debt:pay_2", disputed, debt, 70_00, reason="chargeback", group=group),
    )
    assert books() == {CLEARING: -100_00, "revenue": 70_00, "wallet": 30_00}
    assert [row.balance_after for row in statements.statement(disputed, limit=2)] == [30_00, 100_00]


def reverse(*keys: str) -> None:
    """Reverse the transactions with these keys, in one group."""
    group = uuid4()
    rows = [Transaction.objects.get(key=key) for key in keys]
    post(*(reversal.entry(row, reason="chargeback_reversal", effective_at=NOON, group=group) for row in rows))


def test_a_won_dispute_reverses_the_chargeback(disputed):
    reverse("chargeback:dp_1:gateway", "chargeback:dp_1:debt", "chargeback:dp_1:wallet")
    # As before the chargeback: 100.00 paid in, 70.00 used.
    assert books() == {CLEARING: -100_00, "revenue": 70_00, "wallet": 30_00}


def test_a_dispute_won_after_the_debt_was_paid_returns_that_payment_too(disputed, debt):
    post(
        entry("payment:pay_2", CLEARING, disputed, 100_00, reason="top_up"),
        entry("debt:pay_2", disputed, debt, 70_00, reason="chargeback"),
    )
    # First her payment of the debt, or there would be no debt to reverse.
    reverse("debt:pay_2", "chargeback:dp_1:gateway", "chargeback:dp_1:debt", "chargeback:dp_1:wallet")
    # 200.00 paid in, 70.00 used.
    assert books() == {CLEARING: -200_00, "revenue": 70_00, "wallet": 130_00}


def test_a_won_dispute_is_posted_once(disputed):
    reverse("chargeback:dp_1:gateway", "chargeback:dp_1:debt", "chargeback:dp_1:wallet")
    again = reversal.entry(
        Transaction.objects.get(key="chargeback:dp_1:wallet"), reason="chargeback_reversal", effective_at=NOON
    )
    assert ledger.post([again])[0].outcome is ledger.Outcome.EXISTS
