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
    """100.00 in at noon; then 1.00 charged each hour, ten times; a refund of 5.00 at six."""
    entries = [entry("in", CLEARING, wallet, 100_00, reason="top_up")]
    for n in range(1, 11):
        entries.append(entry(f"charge:{n}", wallet, "revenue", 1_00, reason="charge", effective_at=hour(n)))
        if n == 6:
            entries.append(entry("back", wallet, CLEARING, 5_00, reason="refund", effective_at=hour(6)))
    ledger.post(entries)
    return wallet


def keys(rows: list[Transaction]) -> list[str]:
    return [row.key for row in rows]


def test_a_statement_comes_newest_first_in_pages_that_miss_nothing(history):
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


def test_a_page_is_not_moved_by_what_is_posted_meanwhile(history):
    first = statements.statement(history, limit=3)
    ledger.post([entry("new", CLEARING, history, 1, effective_at=hour(11))])
    assert keys(statements.statement(history, before_id=first[-1].pk, limit=1)) == ["charge:7"]


def test_a_statement_is_narrowed_by_reason_and_time(history):
    assert keys(statements.statement(history, reasons=["refund", "top_up"])) == ["back", "in"]
    assert keys(statements.statement(history, reasons=["charge", "refund"], limit=6))[-2:] == ["back", "charge:6"]
    six = statements.statement(history, start=hour(6), end=hour(7))
    assert keys(six) == ["back", "charge:6"]
    last = statements.statement(history, reasons=["refund"])[0]
    assert keys(statements.statement(history, reasons=["top_up"], before_id=last.pk)) == ["in"]


def test_a_statement_shows_nothing_of_another_wallet(history, mallory):
    hers = wallets.wallet_id_of(mallory.pk, "EUR")
    ledger.post([entry("hers", CLEARING, hers, 5)])
    assert keys(statements.statement(hers)) == ["hers"]
    assert statements.statement(hers, before_id=statements.statement(history)[0].pk) == []


def test_a_balance_is_told_for_any_instant(history):
    assert statements.balance(history) == 85_00
    assert statements.balance(history, at=NOON - timedelta(seconds=1)) == 0
    assert statements.balance(history, at=NOON) == 100_00
    assert statements.balance(history, at=hour(6)) == 89_00
    assert statements.balance(history, at=hour(7) - timedelta(microseconds=1)) == 89_00


def test_system_accounts_have_a_balance_too(history):
    revenue, clearing = (Account.objects.get(code=code).pk for code in ("revenue", CLEARING))
    assert statements.balance(revenue) == 10_00
    assert statements.balance(revenue, at=hour(4)) == 4_00
    assert statements.balance(clearing) == -95_00
    assert statements.balance(clearing, at=hour(5)) == -100_00


def test_a_debt_has_a_past(history, debt):
    ledger.post(
        [
            entry("owed", debt, "disputes", 30_00, reason="chargeback", effective_at=hour(12)),
            entry("paid", history, debt, 20_00, effective_at=hour(14)),
        ]
    )
    assert [statements.balance(debt, at=hour(n)) for n in (11, 12, 13, 14)] == [0, -30_00, -30_00, -10_00]
    assert statements.balance(debt) == -10_00


def test_all_balances_of_a_currency_add_up_to_nothing(alice, history, debt):
    ledger.post(
        [
            entry("roubles", CLEARING, wallets.wallet_id_of(alice.pk, "RUB"), 7, currency="RUB"),
            entry("owed", debt, "disputes", 30_00),
        ]
    )
    assert [statements.trial_balance(currency) for currency in ("EUR", "RUB", "JPY")] == [0, 0, 0]


def test_beat_pokes_the_folding(history):
    revenue = Account.objects.get(code="revenue").pk
    for n in range(rollups.FEW):
        ledger.post([entry(f"one:{n}", "gateway_fees", "revenue", 1)])
    # Revenue has one more than a hundred, from the history; the fees have a hundred.
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
        # Of a dozen rows a sort is cheap, too: by what other tests left in the statistics it may seem the cheapest.
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
    return str(queryset.explain())


def test_a_page_is_read_straight_off_an_index(history):
    """No sort and no heap of rows to throw away: so a page costs the same in a long history."""
    rows = statements.transactions_of(history)
    assert "transaction_by_wallet" in (plan := plan_of(rows[:50]))
    assert "Sort" not in plan
    assert "transaction_but_charges" in (plan := plan_of(statements.transactions_of(history, reasons=["refund"])[:50]))
    assert "Sort" not in plan
