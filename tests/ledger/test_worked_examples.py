"""What each event posts, as an accountant would check it: balance = credits - debits, in cents, zero in all.

Each story posts what the table in the design names, then reads every account of the currency.
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
    """Return every account's balance by its name, without those at zero; they add up to nothing."""
    found = {account.code or account.kind: statements.balance(account.pk) for account in Account.objects.all()}
    assert sum(found.values()) == statements.trial_balance("EUR") == 0
    return {name: held for name, held in found.items() if held}


def happen(*entries: ledger.Entry) -> None:
    """Post the entries; all of them must be new and fit."""
    assert {posted.outcome for posted in ledger.post(entries)} == {ledger.Outcome.POSTED}


@pytest.fixture
def paid(wallet: int) -> int:
    """Alice pays in 100.00."""
    happen(entry("payment:pay_1", CLEARING, wallet, 100_00, reason="top_up"))
    return wallet


def test_a_payment_is_confirmed(paid):
    # The gateway owes us what we owe Alice.
    assert books() == {CLEARING: -100_00, "wallet": 100_00}


def test_the_gateway_keeps_its_fee(paid):
    happen(entry("fee:pay_1", "gateway_fees", CLEARING, 2_90, reason="fee"))
    # It owes us 97.10 now; 2.90 are our cost; Alice still has all of hers.
    assert books() == {CLEARING: -97_10, "gateway_fees": -2_90, "wallet": 100_00}


def test_a_period_is_charged(paid):
    happen(entry("charge:1", paid, "revenue", 30_00, reason="charge"))
    assert books() == {CLEARING: -100_00, "revenue": 30_00, "wallet": 70_00}


def test_unused_time_is_given_back(paid):
    happen(
        entry("charge:1", paid, "revenue", 30_00, reason="charge"),
        # Two thirds of the period were left.
        entry("unused:1", "revenue", paid, 20_00, reason="unused_refund", effective_at=NOON + timedelta(days=10)),
    )
    assert books() == {CLEARING: -100_00, "revenue": 10_00, "wallet": 90_00}


def test_money_goes_back_to_the_card(paid):
    happen(entry("refund:ref_1", paid, CLEARING, 40_00, reason="refund"))
    assert books() == {CLEARING: -60_00, "wallet": 60_00}


def test_more_than_is_there_never_goes_back_to_the_card(paid):
    [posted] = ledger.post([entry("refund:ref_1", paid, CLEARING, 100_01, reason="refund")])
    assert posted.outcome is ledger.Outcome.INSUFFICIENT
    assert books() == {CLEARING: -100_00, "wallet": 100_00}


def test_staff_give_and_take(paid, staff):
    happen(
        entry("adjustment:1", "adjustments", paid, 5_00, description="an hour of outage", author=staff.pk),
        entry("adjustment:2", paid, "adjustments", 2_00, description="was two fifths of that", author=staff.pk),
    )
    assert books() == {CLEARING: -100_00, "adjustments": -3_00, "wallet": 103_00}


def test_a_promotion_is_our_cost(wallet):
    happen(entry("promotion:spring:alice", "promotions", wallet, 10_00, reason="promotion"))
    assert books() == {"promotions": -10_00, "wallet": 10_00}


def chargeback(wallet: int, debt: int, *, from_wallet: int, owed: int) -> None:
    """The bank took 100.00 back from the gateway, and the gateway from us: take what is there, the rest is owed."""
    group = uuid4()
    happen(
        entry("chargeback:dp_1:wallet", wallet, "disputes", from_wallet, reason="chargeback", group=group),
        entry("chargeback:dp_1:debt", debt, "disputes", owed, reason="chargeback", group=group),
        entry("chargeback:dp_1:gateway", "disputes", CLEARING, from_wallet + owed, reason="chargeback", group=group),
    )


@pytest.fixture
def disputed(paid: int, debt: int) -> int:
    """Alice used 70.00 of her 100.00; then her bank took all 100.00 back."""
    happen(entry("charge:1", paid, "revenue", 70_00, reason="charge"))
    chargeback(paid, debt, from_wallet=30_00, owed=70_00)
    return paid


def test_a_chargeback_takes_what_is_there_and_the_rest_is_owed(disputed):
    # The gateway owes us nothing, Alice has nothing and owes us the 70.00 that she used.
    assert books() == {"revenue": 70_00, "debt": -70_00}


def test_the_next_top_up_pays_the_debt_first(disputed, debt):
    group = uuid4()
    happen(
        entry("payment:pay_2", CLEARING, disputed, 100_00, reason="top_up", group=group),
        entry("debt:pay_2", disputed, debt, 70_00, reason="chargeback", group=group),
    )
    assert books() == {CLEARING: -100_00, "revenue": 70_00, "wallet": 30_00}
    assert [row.balance_after for row in statements.statement(disputed, limit=2)] == [30_00, 100_00]


def take_back(*keys: str) -> None:
    group = uuid4()
    rows = [Transaction.objects.get(key=key) for key in keys]
    happen(*(reversal.entry(row, reason="chargeback_reversal", effective_at=NOON, group=group) for row in rows))


def test_a_won_dispute_undoes_the_chargeback(disputed):
    take_back("chargeback:dp_1:gateway", "chargeback:dp_1:debt", "chargeback:dp_1:wallet")
    # As if it had never been: 100.00 paid in, 70.00 used.
    assert books() == {CLEARING: -100_00, "revenue": 70_00, "wallet": 30_00}


def test_a_dispute_won_after_the_debt_was_paid_gives_that_back_too(disputed, debt):
    happen(
        entry("payment:pay_2", CLEARING, disputed, 100_00, reason="top_up"),
        entry("debt:pay_2", disputed, debt, 70_00, reason="chargeback"),
    )
    # First what she paid on the debt, else nothing would be owed that could be forgiven.
    take_back("debt:pay_2", "chargeback:dp_1:gateway", "chargeback:dp_1:debt", "chargeback:dp_1:wallet")
    # 200.00 paid in, 70.00 used.
    assert books() == {CLEARING: -200_00, "revenue": 70_00, "wallet": 130_00}


def test_a_dispute_is_won_once(disputed):
    take_back("chargeback:dp_1:gateway", "chargeback:dp_1:debt", "chargeback:dp_1:wallet")
    again = reversal.entry(
        Transaction.objects.get(key="chargeback:dp_1:wallet"), reason="chargeback_reversal", effective_at=NOON
    )
    assert ledger.post([again])[0].outcome is ledger.Outcome.EXISTS
