"""The database enforces each rule of the ledger, even against raw SQL that bypasses ledger.post."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import ProtectedError

import ledger
from accounts.models import User
from ledger import wallets
from ledger.models import Account, Transaction
from tests.ledger.conftest import CLEARING, NOON, balance_of, entry

pytestmark = pytest.mark.django_db


@contextmanager
def refused(rule: str) -> Iterator[None]:
    """Assert that the database refuses the block by the rule with this name."""
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        yield
    cause = caught.value.__cause__
    assert isinstance(cause, psycopg.Error)
    assert cause.diag.constraint_name == rule, caught.value


def sql(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


@pytest.fixture
def accounts(alice: User, wallet: int, top_up) -> dict[str, int]:
    """The ids of Alice, of the revenue account and of Alice's wallet: 100.00 paid in, 30.00 charged at noon."""
    top_up(wallet, 100_00)
    ledger.post([entry("charge:1", wallet, "revenue", 30_00, reason="charge")])
    return {"wallet": wallet, "revenue": Account.objects.get(code="revenue").pk, "alice": alice.pk}


def insert(accounts: dict[str, int], **changes: object) -> None:
    """Insert a valid charge of 10.00 with raw SQL, with changes."""
    row = {
        "key": "by hand",
        "debit_id": accounts["wallet"],
        "credit_id": accounts["revenue"],
        "amount": 10_00,
        "currency": "EUR",
        "reason": "charge",
        "effective_at": NOON,
        "description": "",
        "wallet_id": accounts["wallet"],
        "balance_after": 60_00,
        "customer_id": accounts["alice"],
    } | changes
    columns = ", ".join(row)
    sql(f"INSERT INTO ledger_transaction ({columns}) VALUES ({', '.join(['%s'] * len(row))})", *row.values())


def test_a_row_inserted_with_sql_moves_the_balance(accounts):
    insert(accounts)
    assert balance_of(accounts["wallet"]) == 60_00
    assert balance_of("revenue") == 40_00


def test_a_wallet_never_goes_below_zero(accounts):
    with refused("transaction_shows_the_wallet_after_it"):
        insert(accounts, amount=70_01, balance_after=-1)
    with refused("transactions_follow_the_wallet"):
        insert(accounts, amount=70_01, balance_after=0)
    with refused("wallet_never_negative"):
        sql("SET CONSTRAINTS ALL IMMEDIATE")
        sql("ALTER TABLE ledger_account DISABLE TRIGGER balance_moves_by_transactions_only")
        sql("UPDATE ledger_account SET balance = -1 WHERE id = %s", accounts["wallet"])


@pytest.mark.parametrize("after", [59_99, 60_01, 70_00, 0])
def test_a_wrong_balance_after_is_refused(accounts, after):
    with refused("transactions_follow_the_wallet"):
        insert(accounts, balance_after=after)


def test_two_lines_that_are_right_only_in_sum_are_refused(accounts):
    wallet, revenue, alice = accounts.values()
    columns = "key, debit_id, credit_id, amount, currency, reason, effective_at, description, wallet_id, balance_after"
    columns += ", customer_id"
    line = f"(%s, {wallet}, {revenue}, 1000, 'EUR', 'charge', %s, '', {wallet}, %s, {alice})"
    statement = f"INSERT INTO ledger_transaction ({columns}) VALUES {line}, {line}"
    with refused("transactions_follow_the_wallet"):
        sql(statement, "a", NOON, 61_00, "b", NOON, 50_00)
    with refused("transactions_follow_the_wallet"):  # the second is dated before the first
        sql(statement, "a", NOON + timedelta(hours=1), 60_00, "b", NOON, 50_00)
    sql(statement, "a", NOON, 60_00, "b", NOON, 50_00)


@pytest.mark.parametrize(
    "changes",
    [
        {"effective_at": NOON - timedelta(seconds=1)},
        {"currency": "RUB"},
        {"customer_id": 10**9},
    ],
)
def test_a_wallet_requires_its_own_currency_and_customer_and_a_later_date(accounts, changes):
    with refused("transactions_follow_the_wallet"):
        insert(accounts, **changes)


def test_a_transaction_must_name_the_wallet_that_it_moves(accounts, mallory):
    with refused("transactions_name_accounts_of_their_currency"):
        insert(accounts, wallet_id=None, balance_after=None)
    hers = wallets.wallet_id_of(mallory.pk, "EUR")
    with refused("transactions_name_accounts_of_their_currency"):
        insert(accounts, credit_id=hers)
    with refused("transactions_follow_the_wallet"):
        insert(accounts, wallet_id=accounts["revenue"])
    with refused("transactions_name_accounts_of_their_currency"):
        insert(accounts, wallet_id=hers, balance_after=1, customer_id=mallory.pk, amount=1)


def test_an_unknown_account_or_one_in_another_currency_is_refused(accounts):
    with refused("transactions_name_accounts_of_their_currency"):
        insert(accounts, credit_id=10**9)
    roubles = Account.objects.create(kind="revenue", code="revenue", currency="RUB")
    with refused("transactions_name_accounts_of_their_currency"):
        insert(accounts, credit_id=roubles.pk)


def test_only_its_own_customer_moves_a_debt(accounts, mallory):
    hers = wallets.debt_id_of(mallory.pk, "EUR")
    with refused("debt_is_its_customers"):
        insert(accounts, debit_id=hers, wallet_id=None, balance_after=None)
    ledger.post([entry("owed", hers, "disputes", 5)])
    with refused("debt_is_its_customers"):
        insert(accounts, credit_id=hers, amount=5, balance_after=69_95)
    with refused("debt_never_positive"):
        insert(
            accounts,
            debit_id=accounts["revenue"],
            credit_id=hers,
            customer_id=mallory.pk,
            wallet_id=None,
            balance_after=None,
        )


def test_the_same_cause_posts_once(accounts):
    with refused("same_cause_posts_once"):
        insert(accounts, key="charge:1")


def test_a_reversal_is_the_exact_opposite_and_happens_once(accounts):
    charge = Transaction.objects.get(key="charge:1")
    back = {"reverses_id": charge.pk, "debit_id": charge.credit_id, "credit_id": charge.debit_id, "amount": 30_00}
    with refused("reversal_is_the_exact_opposite"):
        insert(accounts, **back | {"amount": 29_00}, balance_after=99_00)
    with refused("reversal_is_the_exact_opposite"):
        insert(accounts, reverses_id=charge.pk, amount=30_00, balance_after=40_00)
    with refused("reversal_is_the_exact_opposite"):
        insert(accounts, **back | {"reverses_id": 10**9}, balance_after=100_00)
    insert(accounts, **back, balance_after=100_00)
    with refused("transaction_is_reversed_at_most_once"):
        insert(accounts, **back, key="again", balance_after=130_00)


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("transaction_moves_more_than_zero", {"amount": 0, "balance_after": 70_00}),
        ("transaction_moves_more_than_zero", {"amount": -5, "balance_after": 70_05}),
        ("transaction_reason_is_known", {"reason": "gift"}),
        ("transaction_shows_the_wallet_after_it", {"balance_after": None}),
        ("transaction_shows_the_wallet_after_it", {"wallet_id": None}),
        ("transaction_shows_the_wallet_after_it", {"customer_id": None}),
    ],
)
def test_an_invalid_transaction_is_refused(accounts, rule, changes):
    with refused(rule):
        insert(accounts, **changes)


def test_a_transaction_moves_between_two_accounts(accounts):
    with refused("transaction_moves_between_two_accounts"):
        insert(accounts, credit_id=accounts["wallet"])


@pytest.mark.parametrize(
    ("rule", "statement"),
    [
        ("transaction_is_never_edited", "UPDATE ledger_transaction SET description = 'other'"),
        ("transaction_is_never_edited", "UPDATE ledger_transaction SET amount = 1 WHERE false"),
        (
            "transaction_is_never_edited",
            "INSERT INTO ledger_transaction (id) SELECT 1 WHERE false ON CONFLICT (id) DO UPDATE SET amount = 1",
        ),
        ("transaction_is_never_deleted", "DELETE FROM ledger_transaction"),
        ("transactions_are_never_truncated", "TRUNCATE ledger_transaction"),
        ("transactions_are_never_truncated", "TRUNCATE ledger_transaction, ledger_account CASCADE"),
        ("account_is_never_deleted", "DELETE FROM ledger_account"),
        ("accounts_are_never_truncated", "TRUNCATE ledger_account CASCADE"),
        ("balance_moves_by_transactions_only", "UPDATE ledger_account SET balance = balance + 1 WHERE kind = 'wallet'"),
        ("balance_moves_by_transactions_only", "UPDATE ledger_account SET moved_at = NULL WHERE kind = 'wallet'"),
        ("account_stays_what_it_is", "UPDATE ledger_account SET kind = 'debt' WHERE kind = 'wallet'"),
        ("account_stays_what_it_is", "UPDATE ledger_account SET currency = 'RUB'"),
        ("account_stays_what_it_is", "UPDATE ledger_account SET code = 'revenue:2' WHERE code = 'revenue'"),
        ("account_stays_what_it_is", "UPDATE ledger_account SET owner_id = owner_id + 1 WHERE kind = 'wallet'"),
        ("account_stays_what_it_is", "UPDATE ledger_account SET id = -id"),
        ("rollup_is_never_edited", "UPDATE ledger_rollup SET delta = 0"),
        ("rollup_is_deleted_by_folding_only", "DELETE FROM ledger_rollup"),
        ("rollups_are_never_truncated", "TRUNCATE ledger_rollup"),
        ("rollup_by_hand_is_zero", "INSERT INTO ledger_rollup (account_id, delta) VALUES (1, 1)"),
    ],
)
def test_history_and_balances_cannot_be_changed(accounts, rule, statement):
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    with refused(rule):
        sql(statement)


def test_the_error_says_what_to_do_instead(accounts):
    with (
        pytest.raises(IntegrityError, match="a transaction is never edited: post a new one that reverses it"),
        transaction.atomic(),
    ):
        Transaction.objects.update(amount=1)


@pytest.mark.parametrize(
    ("rule", "account"),
    [
        ("account_starts_empty", {"kind": "debt", "balance": -5}),
        ("account_starts_empty", {"kind": "debt", "balance": 0, "moved_at": NOON}),
        ("only_owned_accounts_hold_a_balance", {"kind": "debt"}),
        ("only_owned_accounts_hold_a_balance", {"kind": "debt", "balance": 0, "code": "debt"}),
        ("only_owned_accounts_hold_a_balance", {"kind": "revenue", "balance": 0, "code": "revenue:x"}),
        ("one_wallet_per_currency", {"kind": "wallet", "balance": 0}),
        ("account_currency_is_iso_4217", {"kind": "wallet", "balance": 0, "currency": "eur"}),
        ("account_kind_is_known", {"kind": "gold", "owner": None, "code": "gold"}),
        ("account_code_begins_with_its_kind", {"kind": "revenue", "owner": None, "code": "disputes"}),
        ("one_system_account_per_currency", {"kind": "revenue", "owner": None, "code": "revenue"}),
    ],
)
def test_an_invalid_account_is_refused(accounts, alice, rule, account):
    with refused(rule):
        Account.objects.create(**{"owner": alice, "currency": "EUR"} | account)


def test_a_customer_with_an_account_cannot_be_deleted(accounts, alice):
    with pytest.raises(ProtectedError):
        alice.delete()
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    with pytest.raises(IntegrityError, match="ledger_account"), transaction.atomic():
        sql("DELETE FROM accounts_user WHERE id = %s", alice.pk)


def test_saving_an_account_unchanged_is_allowed(accounts):
    Account.objects.get(pk=accounts["wallet"]).save()
    assert balance_of(accounts["wallet"]) == 70_00


def test_a_batch_moves_several_wallets(mallory, accounts):
    hers = wallets.wallet_id_of(mallory.pk, "EUR")
    ledger.post([entry(f"in:{n}", CLEARING, (hers, accounts["wallet"])[n % 2], n) for n in range(1, 101)])
    assert balance_of(hers) == sum(range(2, 101, 2)) or balance_of(hers) == sum(range(1, 101, 2))
