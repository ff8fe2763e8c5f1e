"""docs/ops/backup.md: its commands back up a database with money in it and restore it, to the minute too."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from accounts.models import User
from billing_site.local.postgres import Postgres
from tests.payments.staff_rows import pay

ROOT = Path(settings.BASE_DIR)
PAGE = (ROOT / "docs/ops/backup.md").read_text()
BLOCK = re.compile(r"^ *```(sh|ini)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
PROGRAMS = Postgres(settings.VAR_DIR / "postgres-test").binaries


def blocks(heading: str, kind: str) -> str:
    """Return the commands (`sh`) or the settings (`ini`) under a heading of the page."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return "".join(
        re.sub("^ +", "", text, flags=re.MULTILINE) for kinds, text in BLOCK.findall(section) if kinds == kind
    )


def run(commands: str, environment: dict[str, str]) -> str:
    """Run commands as an operator would, and return what they print; the first that fails fails the test."""
    path = os.pathsep.join([str(PROGRAMS), str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["sh", "-euc", commands], cwd=ROOT, env=environment | {"PATH": path}, capture_output=True, text=True,
        timeout=170, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def restored_url(child_environment: dict[str, str]) -> Iterator[str]:
    """The address of an empty database on the tests' server, which is dropped in the end."""
    name = f"{connection.settings_dict['NAME']}_restored"
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        cursor.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    own = child_environment["DATABASE_URL"]
    yield own.replace(f"/{connection.settings_dict['NAME']}?", f"/{name}?")
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.django_db(transaction=True)
def test_a_dump_is_restored_and_its_books_are_clean(
    alice: User, child_environment: dict[str, str], restored_url: str, tmp_path: Path
) -> None:
    pay(alice, 500_00, now=timezone.now())
    environment = child_environment | {"RESTORED_URL": restored_url, "BACKUPS": str(tmp_path)}
    run(blocks("Every night: a dump", "sh"), environment)
    said = run(blocks("Try a restore every month", "sh"), environment)
    assert "Clean:" in said
    with psycopg.connect(restored_url) as restored:
        wallets = restored.execute("SELECT balance FROM ledger_account WHERE kind = 'wallet'").fetchall()
    assert wallets == [(500_00,)]
    # Both sides have the same: exit code 0.
    reconcile, *_others = blocks("Restore after a loss", "sh").splitlines()
    assert '"sandbox"' in run(reconcile, environment | {"DATABASE_URL": restored_url})


def test_a_server_is_restored_to_the_minute(tmp_path: Path) -> None:
    backups, archive = tmp_path / "backups", tmp_path / "backups/wal"
    archive.mkdir(parents=True)
    for folder in (backups, archive):
        folder.chmod(0o777)
    first, second = Postgres(tmp_path / "first"), Postgres(tmp_path / "second")
    first.hold()
    first.release()
    configure(first, blocks("To any minute: a base backup and the log", "ini"), backups)
    first.hold()
    with psycopg.connect(first.url, autocommit=True) as server:
        server.execute("CREATE TABLE kept (what text)")
        server.execute("INSERT INTO kept VALUES ('before the backup')")
        environment = dict(os.environ) | {"BACKUPS": str(backups), "PGDATA": str(second.data)}
        run(blocks("To any minute: a base backup and the log", "sh"), environment | {"DATABASE_URL": first.url})
        server.execute("INSERT INTO kept VALUES ('after it')")
        moment = server.execute("SELECT clock_timestamp()").fetchall()[0][0]
        server.execute("INSERT INTO kept VALUES ('what we want to undo')")
        ended = server.execute("SELECT pg_walfile_name(pg_switch_wal())").fetchall()[0][0]
        wait(server, "SELECT coalesce(last_archived_wal >= %s, false) FROM pg_stat_archiver", [ended])
    first.release()

    second.data.mkdir()
    _reconcile, *commands = blocks("Restore after a loss", "sh").splitlines()
    run("\n".join(commands), environment)
    wanted = re.sub("(?<=recovery_target_time = ').*(?=')", str(moment), blocks("Restore after a loss", "ini"))
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
