"""`migrate` killed with SIGKILL while it builds an index: the next one ends right."""

import signal
import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from billing_site import unfinished_indexes
from billing_site.doctor import database
from billing_site.doctor.result import Verdict
from core.columns import run
from tests.flows.site import PATIENCE, wait_for

pytestmark = pytest.mark.timeout(400)
BEFORE, BUILDS = ("events", "0004"), ("events", "0005")
BUILDING = "SELECT count(*) FROM pg_stat_progress_create_index WHERE datname = current_database()"


def command(*words: str) -> list[str]:
    return [sys.executable, "manage.py", "migrate", *words]


def migrate(environment: dict[str, str], *words: str) -> str:
    done = subprocess.run(
        command(*words), env=environment, cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=PATIENCE * 2,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def taken_back(transactional_db: None, child_environment: dict[str, str]) -> Iterator[None]:
    """Take the migration back, and apply it again at the end."""
    migrate(child_environment, *BEFORE)
    yield
    migrate(child_environment, *BUILDS)


def names() -> list[str]:
    return [index.name for index in unfinished_indexes.invalid()]


@pytest.mark.usefixtures("taken_back")
def test_the_next_migrate_builds_the_index_again(child_environment):
    parameters = connection.get_connection_params() | {"cursor_factory": psycopg.Cursor, "context": None}
    with psycopg.connect(**parameters) as reader:
        # To build an index without a lock is to wait for everybody who reads an older state.
        reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        reader.execute("SELECT FROM events_event")
        killed = subprocess.Popen(command(*BUILDS), env=child_environment, cwd=settings.BASE_DIR)
        try:
            wait_for(lambda: run(BUILDING, []) != [(0,)] or killed.poll() is not None, "the index")
        finally:
            killed.send_signal(signal.SIGKILL)
            killed.wait()
        wait_for(lambda: run(BUILDING, []) == [(0,)], "the end of its session")
        reader.rollback()
    [left] = names()
    [result] = database.indexes()
    assert (result.verdict, left in result.says) == (Verdict.FAILS, True)
    assert f"Dropped the index {left}" in migrate(child_environment, *BUILDS)
    assert names() == []
    assert [result.verdict for result in database.indexes()] == [Verdict.OK]
    assert run("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)", [left]) == [(True,)]
