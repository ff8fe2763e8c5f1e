"""The nightly ledger check: what is kept of it, and for how long."""

from datetime import UTC, datetime, timedelta

import pytest
from celery.schedules import crontab
from django.conf import settings
from django.db import connection

import ledger
from billing_site import ledger_checks, tasks
from billing_site.integrity import CHECKS
from core.models import LedgerCheck
from ledger import wallets
from tests.ledger.conftest import CLEARING, entry

pytestmark = pytest.mark.django_db(transaction=True)
NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def wallet(alice) -> int:
    """Return the id of Alice's wallet, which holds 1.00 EUR."""
    wallet = wallets.wallet_id_of(alice.pk, "EUR")
    ledger.post([entry("in", CLEARING, wallet, 100)])
    return wallet


def test_it_runs_every_night_in_a_queue_where_it_holds_up_no_money():
    schedule = settings.CELERY_BEAT_SCHEDULE["check-ledger"]
    assert schedule["task"] == "billing_site.tasks.check_ledger"
    assert schedule["schedule"] == crontab(minute="30", hour="3")
    assert settings.CELERY_TASK_ROUTES["billing_site.tasks.*"] == {"queue": "deliveries"}
    # The broker gives a task to another worker after 900 s (visibility_timeout).
    assert tasks.check_ledger.time_limit == 840


def test_a_clean_result_is_kept(wallet):
    tasks.check_ledger.apply()
    row = LedgerCheck.objects.get()
    assert (row.checks, row.wrong, row.findings, row.error, row.is_clean) == (len(CHECKS), 0, [], "", True)
    assert row.seconds > 0
    assert ledger_checks.last() == row


def test_wrong_rows_are_kept_with_the_check_that_found_them(wallet):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE ledger_account DISABLE TRIGGER USER")
        cursor.execute("UPDATE ledger_account SET balance = 101 WHERE id = %s", [wallet])
        cursor.execute("ALTER TABLE ledger_account ENABLE TRIGGER USER")
    row = ledger_checks.run(now=NOON)
    row.refresh_from_db()
    assert (row.started_at, row.wrong, row.is_clean) == (NOON, 2, False)
    finding = {each["name"]: each for each in row.findings}["balances_equal_transactions"]
    assert len(row.findings) == 2, "the books do not balance either"
    assert (finding["name"], finding["wrong"]) == ("balances_equal_transactions", 1)
    assert finding["rows"] == [{"account": wallet, "kind": "wallet", "balance": 101, "by_transactions": "100"}]


def test_a_run_that_does_not_come_to_an_end_is_kept_with_its_error(db, monkeypatch):
    def fails():
        raise TimeoutError("too long\nDETAIL:  Failing row contains (3, anna).")

    monkeypatch.setattr(ledger_checks, "look", fails)
    with pytest.raises(TimeoutError):
        ledger_checks.run(now=NOON)
    row = LedgerCheck.objects.get()
    assert (row.error, row.wrong, row.is_clean) == ("TimeoutError: too long DETAIL: [redacted]", 0, False)


def test_results_are_forgotten_after_400_days(db):
    for days in (399, 401):
        LedgerCheck.objects.create(started_at=NOON - timedelta(days=days), seconds=1, checks=1, wrong=0)
    ledger_checks.keep([], now=NOON)
    assert sorted(LedgerCheck.objects.values_list("started_at", flat=True)) == [NOON - timedelta(days=399), NOON]
