from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import QuerySet

import ledger
from ledger import rollups, statements, wallets
from ledger.models import Account, Rollup, Transaction
from ledger.tasks import fold_rollups
from tests.ledger.conftest import CLEARING, NOON, entry

pytestmark = pytest.mark.django_db


def hour(n: int):
    return NOON + timedelta(hours=n)


@pytest.fixture
def history(wallet: int) -> int:
    """Alice's wallet: 100.00 paid in at noon, then ten hourly charges of 1.00, and a refund of 5.00 after six hours."""
    entries = [entry("in", CLEARING, wallet, 100_00, reason="top_up")]
    for n in range(1, 11):
        entries.append(entry(f"charge:{n}", wallet, "revenue", 1_00, reason="charge", effective_at=hour(n)))
        if n == 6:
            entries.append(entry("back", wallet, CLEARING, 5_00, reason="refund", effective_at=hour(6)))
    ledger.post(entries)
    return wallet


def keys(rows: list[Transaction]) -> list[str]:
    return [row.key for row in rows]


def test_a_statement_is_newest_first_and_its_pages_are_complete(history):
    seen, before = [], None
    while page := statements.statement(history, before_id=before, limit=5):
        assert len(page) <= 5
        seen += keys(page)
        before = page[-1].pk
    charges = [f"charge:{n}" for n in range(10, 0, -1)]
    assert seen == [*charges[:4], "back", *charges[4:], "in"]
    shown = [row.balance_after for row in statements.statement(history)]
    # 100.00 - 10 x 1.00 - 5.00
    assert shown[0] == 85_00
    assert shown[-1] == 100_00


def test_new_transactions_do_not_shift_later_pages(history):
    first = statements.statement(history, limit=3)
    ledger.post([entry("new", CLEARING, history, 1, effective_at=hour(11))])
    assert keys(statements.statement(history, before_id=first[-1].pk, limit=1)) == ["charge:7"]


def test_a_statement_is_filtered_by_reason_and_time(history):
    assert keys(statements.statement(history, reasons=["refund", "top_up"])) == ["back", "in"]
    assert keys(statements.statement(history, reasons=["charge", "refund"], limit=6))[-2:] == ["back", "charge:6"]
    six = statements.statement(history, start=hour(6), end=hour(7))
    assert keys(six) == ["back", "charge:6"]
    last = statements.statement(history, reasons=["refund"])[0]
    assert keys(statements.statement(history, reasons=["top_up"], before_id=last.pk)) == ["in"]


def test_a_statement_shows_only_its_own_wallet(history, mallory):
    hers = wallets.wallet_id_of(mallory.pk, "EUR")
    ledger.post([entry("hers", CLEARING, hers, 5)])
    assert keys(statements.statement(hers)) == ["hers"]
    assert statements.statement(hers, before_id=statements.statement(history)[0].pk) == []


def test_a_balance_is_known_at_any_time(history):
    assert statements.balance(history) == 85_00
    assert statements.balance(history, at=NOON - timedelta(seconds=1)) == 0
    assert statements.balance(history, at=NOON) == 100_00
    assert statements.balance(history, at=hour(6)) == 89_00
    assert statements.balance(history, at=hour(7) - timedelta(microseconds=1)) == 89_00


def test_system_accounts_have_balances_at_any_time(history):
    revenue, clearing = (Account.objects.get(code=code).pk for code in ("revenue", CLEARING))
    assert statements.balance(revenue) == 10_00
    assert statements.balance(revenue, at=hour(4)) == 4_00
    assert statements.balance(clearing) == -95_00
    assert statements.balance(clearing, at=hour(5)) == -100_00


def test_a_debt_has_balances_at_any_time(history, debt):
    ledger.post(
        [
            entry("owed", debt, "disputes", 30_00, reason="chargeback", effective_at=hour(12)),
            entry("paid", history, debt, 20_00, effective_at=hour(14)),
        ]
    )
    assert [statements.balance(debt, at=hour(n)) for n in (11, 12, 13, 14)] == [0, -30_00, -30_00, -10_00]
    assert statements.balance(debt) == -10_00


def test_all_balances_of_a_currency_add_up_to_zero(alice, history, debt):
    ledger.post(
        [
            entry("roubles", CLEARING, wallets.wallet_id_of(alice.pk, "RUB"), 7, currency="RUB"),
            entry("owed", debt, "disputes", 30_00),
        ]
    )
    assert [statements.trial_balance(currency) for currency in ("EUR", "RUB", "JPY")] == [0, 0, 0]


def test_the_periodic_task_folds_rollups(history):
    revenue = Account.objects.get(code="revenue").pk
    for n in range(rollups.FEW):
        ledger.post([entry(f"one:{n}", "gateway_fees", "revenue", 1)])
    # Revenue has a hundred and one rollups, one of them from the history; the fees have a hundred.
    assert fold_rollups() == 1
    assert Rollup.objects.filter(account=revenue).count() == 1


def test_folding_changes_no_balance(history):
    ledger.post([entry("more", CLEARING, history, 5, effective_at=hour(11))])
    ledger.post([entry("less", history, "revenue", 5, effective_at=hour(11))])
    revenue = Account.objects.get(code="revenue").pk
    assert Rollup.objects.filter(account=revenue).count() == 2
    before = statements.balance(revenue)
    rollups.fold(revenue)
    assert Rollup.objects.get(account=revenue).delta == before == 10_05
    assert rollups.fold_all(few=1) == 1  # only the clearing account has more than one
    assert Rollup.objects.count() == 2
    assert rollups.fold_all() == 0
    assert statements.trial_balance("EUR") == 0


def plan_of(queryset: QuerySet) -> str:
    with connection.cursor() as cursor:
        # For a dozen rows the planner may prefer a sort, depending on statistics that other tests left behind.
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
    return str(queryset.explain())


def test_a_page_is_read_from_an_index_without_sorting(history):
    """Without a sort or a filter, a page costs the same however long the history is."""
    rows = statements.transactions_of(history)
    assert "transaction_by_wallet" in (plan := plan_of(rows[:50]))
    assert "Sort" not in plan


def test_a_page_without_charges_has_an_index_of_its_own(history):
    with connection.cursor() as cursor:
        # For a dozen rows the planner may prefer this one. The test's transaction brings it back.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("DROP INDEX transaction_by_wallet")
    assert "transaction_but_charges" in (plan := plan_of(statements.transactions_of(history, reasons=["refund"])[:50]))
    assert "Sort" not in plan
