"""Each integrity check of the ledger finds the error planted for it, and nothing else."""

from datetime import timedelta

import pytest

import ledger
from events import integrity as event_integrity
from ledger import integrity, wallets
from ledger.models import Transaction
from tests.ledger.conftest import CLEARING, NOON, entry
from tests.ledger.plant import plant, sql, triggers_of
from tests.ledger.snapshot import found

pytestmark = pytest.mark.django_db
ROW = "ledger_transaction"


@pytest.fixture(autouse=True)
def books(wallet, debt, mallory) -> None:
    """Transactions of two customers over a few hours, with wallets, a debt and system accounts."""
    hers = wallets.wallet_id_of(mallory.pk, "EUR")
    hours = [NOON + timedelta(hours=n) for n in range(4)]
    ledger.post(
        [
            entry("in", CLEARING, wallet, 100_00, effective_at=hours[0]),
            entry("hers", CLEARING, hers, 50_00, effective_at=hours[0]),
            entry("out", wallet, "adjustments", 30_00, effective_at=hours[1]),
            entry("owed", debt, "disputes", 20_00, effective_at=hours[1]),
            entry("paid", wallet, debt, 5_00, effective_at=hours[2]),
            # Nobody has money beside a debt.
            entry("rest", wallet, "adjustments", 65_00, effective_at=hours[2]),
            entry("mistake", "adjustments", hers, 1_00, effective_at=hours[2]),
        ]
    )
    mistake = Transaction.objects.get(key="mistake")
    ledger.post([entry("back", hers, "adjustments", 1_00, effective_at=hours[3], reverses=mistake.pk)])
    assert found() == {}


def test_a_changed_balance_is_found(wallet):
    plant("ledger_account", "UPDATE ledger_account SET balance = balance + 1 WHERE id = %s", wallet)
    assert found() == {"books_balance": 1, "balances_equal_transactions": 1, "wallet_or_debt_is_empty": 1}


def test_a_changed_amount_is_found(wallet):
    plant(ROW, f"UPDATE {ROW} SET amount = amount + 1 WHERE key = 'out'")
    # The wallet, the adjustments account, and the line itself.
    assert found() == {"balances_equal_transactions": 1, "rollups_equal_transactions": 1, "history_is_unbroken": 1}


def test_a_deleted_transaction_is_found():
    plant(ROW, f"DELETE FROM {ROW} WHERE key = 'out'")
    # The next line no longer matches the previous balance.
    assert found() == {"balances_equal_transactions": 1, "rollups_equal_transactions": 1, "history_is_unbroken": 1}


def test_a_cleared_debt_is_found(debt):
    plant("ledger_account", "UPDATE ledger_account SET balance = 0 WHERE id = %s", debt)
    assert found() == {"books_balance": 1, "balances_equal_transactions": 1}


def test_a_lost_rollup_is_found():
    plant("ledger_rollup", "DELETE FROM ledger_rollup WHERE delta = %s", -150_00)
    assert found() == {"books_balance": 1, "rollups_equal_transactions": 1}


def test_a_rollup_of_a_wallet_is_found(wallet):
    plant("ledger_rollup", "INSERT INTO ledger_rollup (account_id, delta) VALUES (%s, 0), (0, 0)", wallet)
    assert found() == {"rollups_are_of_system_accounts": 2}


def test_a_wrong_balance_in_the_history_is_found():
    plant(ROW, f"UPDATE {ROW} SET balance_after = balance_after + 1 WHERE key = 'out'")
    # That line and the next one.
    assert found() == {"history_is_unbroken": 2}


def test_swapped_lines_are_found():
    plant(ROW, f"UPDATE {ROW} SET id = id + 100 WHERE key = 'out'")
    assert found()["history_is_unbroken"] == 2


def test_a_negative_wallet_in_the_history_is_found():
    plant(
        ROW, f"UPDATE {ROW} SET balance_after = -1 WHERE key = 'out'", without="transaction_shows_the_wallet_after_it"
    )
    assert found()["wallets_were_never_negative"] == 1
    assert "ledger_guards_are_there" in found()


def test_a_debt_above_zero_is_found(debt):
    plant("ledger_account", "UPDATE ledger_account SET balance = 1 WHERE id = %s", debt, without="debt_never_positive")
    assert found()["wallets_were_never_negative"] == 1


def test_a_date_before_the_previous_line_is_found():
    plant(ROW, f"UPDATE {ROW} SET effective_at = '2026-01-01T00:00Z' WHERE key = 'out'")
    assert found() == {"time_never_goes_back": 1}


def test_a_missing_moved_at_is_found(wallet):
    plant("ledger_account", "UPDATE ledger_account SET moved_at = NULL WHERE id = %s", wallet)
    assert found() == {"time_never_goes_back": 1}


@pytest.mark.parametrize(
    "change",
    ["currency = 'RUB'", "wallet_id = NULL, balance_after = NULL", "customer_id = customer_id + 1000", "credit_id = 0"],
)
def test_a_transaction_with_the_wrong_account_is_found(change):
    plant(ROW, f"UPDATE {ROW} SET {change} WHERE key = 'out'")
    assert found()["transactions_name_the_right_accounts"] == 1


def test_a_transaction_between_two_customers_is_found(debt):
    plant(ROW, f"UPDATE {ROW} SET credit_id = %s WHERE key = 'back'", debt)
    assert found()["transactions_name_the_right_accounts"] == 1


@pytest.mark.parametrize(
    "change", ["reverses_id = 0", "reverses_id = (SELECT id FROM ledger_transaction WHERE key = 'in')"]
)
def test_a_reversal_of_another_transaction_is_found(change):
    plant(ROW, f"UPDATE {ROW} SET {change} WHERE key = 'back'")
    assert found() == {"reversals_are_exact_opposites": 1}


@pytest.mark.parametrize(
    "statement",
    [
        *(f"DROP TRIGGER {name} ON {table}" for name, table in [
            ("transactions_move_balances", ROW), ("transaction_is_never_edited", ROW),
            ("balance_moves_by_transactions_only", "ledger_account"), ("rollup_by_hand_is_zero", "ledger_rollup"),
        ]),
        f"ALTER TABLE {ROW} DISABLE TRIGGER transaction_is_never_deleted",
        f"ALTER TABLE {ROW} ENABLE REPLICA TRIGGER transaction_is_never_deleted",
        f"ALTER TABLE {ROW} DROP CONSTRAINT same_cause_posts_once",
        f"ALTER TABLE {ROW} DROP CONSTRAINT transaction_moves_more_than_zero",
        "ALTER TABLE ledger_account DROP CONSTRAINT wallet_never_negative",
        """ALTER TABLE ledger_account DROP CONSTRAINT wallet_never_negative,
             ADD CONSTRAINT wallet_never_negative CHECK (kind <> 'wallet' OR balance >= 0) NOT VALID""",
        "DROP INDEX one_wallet_per_currency",
        "DROP INDEX transaction_is_reversed_at_most_once",
    ],
)  # fmt: skip
def test_a_missing_disabled_or_unvalidated_guard_is_found(statement):
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    sql(statement)
    assert found() == {"ledger_guards_are_there": 1}


def test_a_missing_guard_of_the_event_log_is_found():
    sql("DROP TRIGGER event_is_never_edited ON events_event")
    assert found() == {"event_guards_are_there": 1}


@pytest.mark.parametrize(
    ("prefix", "listed"),
    [("ledger_", integrity.TRIGGERS), ("events_", event_integrity.TRIGGERS + event_integrity.ACT_TRIGGERS)],
)
def test_every_trigger_is_checked(prefix, listed):
    assert triggers_of(prefix) == sorted(listed)
