"""docs/ops/backup.md: its commands back up a database with money in it and restore it, to the minute too."""

import os
import re
import time
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest
from django.utils import timezone

from accounts.models import User
from billing_site.local.postgres import Postgres
from tests.ops.pages import blocks, run
from tests.payments.staff_rows import pay

pytestmark = pytest.mark.timeout(400)
PAGE = "backup.md"


@pytest.mark.django_db(transaction=True)
def test_a_dump_is_restored_and_its_books_are_clean(
    alice: User, child_environment: dict[str, str], empty_database: str, tmp_path: Path
) -> None:
    pay(alice, 500_00, now=timezone.now())
    environment = child_environment | {"RESTORED_URL": empty_database, "BACKUPS": str(tmp_path)}
    run(blocks(PAGE, "Every night: a dump", "sh"), environment)
    said = run(blocks(PAGE, "Try a restore every month", "sh"), environment)
    assert "Clean:" in said
    with psycopg.connect(empty_database) as restored:
        wallets = restored.execute("SELECT balance FROM ledger_account WHERE kind = 'wallet'").fetchall()
    assert wallets == [(500_00,)]
    # Both sides have the same: exit code 0.
    reconcile, *_others = blocks(PAGE, "Restore after a loss", "sh").splitlines()
    assert '"sandbox"' in run(reconcile, environment | {"DATABASE_URL": empty_database})


def test_a_server_is_restored_to_the_minute(tmp_path: Path) -> None:
    backups, archive = tmp_path / "backups", tmp_path / "backups/wal"
    archive.mkdir(parents=True)
    for folder in (backups, archive):
        folder.chmod(0o777)
    first, second = Postgres(tmp_path / "first"), Postgres(tmp_path / "second")
    first.hold()
    first.release()
    configure(first, blocks(PAGE, "To any minute: a base backup and the log", "ini"), backups)
    first.hold()
    with psycopg.connect(first.url, autocommit=True) as server:
        server.execute("CREATE TABLE kept (what text)")
        server.execute("INSERT INTO kept VALUES ('before the backup')")
        environment = dict(os.environ) | {"BACKUPS": str(backups), "PGDATA": str(second.data)}
        run(blocks(PAGE, "To any minute: a base backup and the log", "sh"), environment | {"DATABASE_URL": first.url})
        server.execute("INSERT INTO kept VALUES ('after it')")
        moment = server.execute("SELECT clock_timestamp()").fetchall()[0][0]
        server.execute("INSERT INTO kept VALUES ('what we want to undo')")
        ended = server.execute("SELECT pg_walfile_name(pg_switch_wal())").fetchall()[0][0]
        wait(server, "SELECT coalesce(last_archived_wal >= %s, false) FROM pg_stat_archiver", [ended])
    first.release()

    second.data.mkdir()
    _reconcile, *commands = blocks(PAGE, "Restore after a loss", "sh").splitlines()
    run("\n".join(commands), environment)
    wanted = re.sub("(?<=recovery_target_time = ').*(?=')", str(moment), blocks(PAGE, "Restore after a loss", "ini"))
    configure(second, wanted, backups)
    second.hold()
    with psycopg.connect(second.url, autocommit=True) as server:
        wait(server, "SELECT NOT pg_is_in_recovery()", [])
        assert [what for (what,) in server.execute("SELECT what FROM kept")] == ["before the backup", "after it"]
    second.release()


def configure(server: Postgres, lines: str, backups: Path) -> None:
    """Add the page's settings to a server that does not run, with our directory of backups."""
    with (server.data / "postgresql.conf").open("a") as file:
        file.write("\n" + lines.replace("/backups/", f"{backups}/"))


def wait(server: psycopg.Connection, question: LiteralString, values: list[str]) -> None:
    """Ask until the answer is yes."""
    give_up = time.monotonic() + 60
    while server.execute(question, values).fetchall() != [(True,)]:
        assert time.monotonic() < give_up, question
        time.sleep(0.05)
