"""Migrations on a live database: limits of their session, limits behind a pooler, and the SQL that is checked."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from billing_site import checks
from core.columns import run

LIMITS = "SELECT current_setting('lock_timeout'), current_setting('statement_timeout')"


@pytest.mark.django_db
def test_migrate_waits_for_locks_a_little_and_lets_statements_run(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MIGRATION_LOCK_SECONDS = 7
    seen = []
    monkeypatch.setattr(
        "django.core.management.commands.migrate.Command.handle", lambda *_, **__: seen.append(run(LIMITS, []))
    )
    call_command("migrate", stdout=StringIO())
    assert seen == [[("7s", "0")]]
    # Whoever uses the connection afterwards has the usual limits again.
    assert run(LIMITS, []) == [("5s", "1min")]


@pytest.mark.django_db
def test_behind_a_pooler_migrate_leaves_the_sessions_of_others_alone(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DATABASE_POOLED = True
    seen = []
    monkeypatch.setattr(
        "django.core.management.commands.migrate.Command.handle", lambda *_, **__: seen.append(run(LIMITS, []))
    )
    call_command("migrate", stdout=StringIO())
    assert seen == [[("5s", "1min")]]


@pytest.mark.django_db
def test_behind_a_pooler_a_missing_limit_is_named(settings: Any) -> None:
    assert checks.session_limits(None, databases=["default"]) == []
    settings.DATABASE_POOLED = True
    assert checks.session_limits(None, databases=["default"]) == []
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = 0")
    [warning] = checks.session_limits(None, databases=["default"])
    assert warning.id == "billing.W001"
    assert "no lock_timeout" in warning.msg
    assert "SET lock_timeout = '5s'" in str(warning.hint)


# A migration that is not atomic shows its SQL outside of a transaction only.
@pytest.mark.django_db(transaction=True)
def test_the_sql_of_every_migration_of_ours_is_written(tmp_path: Path) -> None:
    (tmp_path / "old.0001_gone.sql").write_text("")
    call_command("migration_sql", tmp_path, stdout=StringIO())
    names = {file.name for file in tmp_path.iterdir()}
    assert {"ledger.0001_accounts_and_transactions.sql", "manual.0001_transfers.sql"} <= names
    assert not {name for name in names if name.startswith(("auth.", "old.", "axes."))}
    assert 'CREATE TABLE "ledger_transaction"' in (tmp_path / "ledger.0001_accounts_and_transactions.sql").read_text()
