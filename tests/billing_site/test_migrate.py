"""Migrations on a live database: limits of their session, limits behind a pooler, and the SQL that is checked."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings as site_settings
from django.contrib.postgres.operations import AddIndexConcurrently, CreateExtension, RemoveIndexConcurrently
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import RunSQL

from billing_site import checks, unfinished_indexes
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


@pytest.mark.django_db
def test_while_an_index_is_built_migrate_does_not_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unfinished_indexes, "IN_PROGRESS", "SELECT 1")
    monkeypatch.setattr(unfinished_indexes, "_of_missing_migrations", lambda: ["an_index"])
    with pytest.raises(CommandError, match="is being built"):
        call_command("migrate", stdout=StringIO())


TAKEN_TWICE = (AddIndexConcurrently, RemoveIndexConcurrently, CreateExtension)


def test_each_step_of_a_migration_without_a_transaction_can_be_taken_twice() -> None:
    folders = [site_settings.BASE_DIR / name for name in ("accounts", "events", "ledger", "payments", "subscriptions")]
    ours = {each.label for each in apps.get_app_configs() if Path(each.path) in folders}
    assert len(ours) == 5
    loader = MigrationLoader(None, ignore_no_migrations=True)
    for key, migration in loader.disk_migrations.items():
        if key[0] in ours and not migration.atomic:
            for operation in migration.operations:
                sql = str(operation.sql).upper() if isinstance(operation, RunSQL) else ""
                repeatable = "IF NOT EXISTS" in sql or "OR REPLACE" in sql or "UPDATE" in sql
                assert repeatable or isinstance(operation, TAKEN_TWICE), (key, sql)


# A migration that is not atomic shows its SQL outside of a transaction only.
@pytest.mark.django_db(transaction=True)
def test_the_sql_of_every_migration_of_ours_is_written(tmp_path: Path) -> None:
    (tmp_path / "old.0001_gone.sql").write_text("")
    call_command("migration_sql", tmp_path, stdout=StringIO())
    names = {file.name for file in tmp_path.iterdir()}
    assert {"ledger.0001_accounts_and_transactions.sql", "manual.0001_transfers.sql"} <= names
    assert not {name for name in names if name.startswith(("auth.", "old.", "axes."))}
    assert 'CREATE TABLE "ledger_transaction"' in (tmp_path / "ledger.0001_accounts_and_transactions.sql").read_text()
