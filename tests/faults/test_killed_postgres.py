"""SIGKILL of PostgreSQL in the middle of a billing run, on a server of the test's own."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from billing_site.local import postgres
from tests.faults import town
from tests.faults.town import BATCH, NOW

PEOPLE = 10
MIGRATE = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
FREEZE = NOW.isoformat()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A server that writes through to the disk, as in production, with the tables in it; it ends with this process."""
    data = tmp_path / "pg"
    postgres.hold(data)
    subprocess.run(MIGRATE, env=environment(data), check=True, timeout=120, cwd=town.CHILD.parent.parent.parent)
    town.well(town.child(environment(data), "found", str(PEOPLE), now=FREEZE))
    return data


def environment(data: Path) -> dict[str, str]:
    return os.environ | {"LOCAL": "1", "DATABASE_URL": postgres.url(data)}


def killed_at(data: Path, point: str, turn: int) -> None:
    """Let a run kill its server there: it fails, and parks nobody. Then start the server, as a supervisor does."""
    died = int((data / "postmaster.pid").read_text().splitlines()[0])
    run = town.child(environment(data), "bill_due", "--catch-up", now=FREEZE, at=point, turn=turn, victim=died)
    assert run.returncode not in (0, -signal.SIGKILL), run.stdout
    assert "OperationalError" in run.stderr
    postgres.hold(data)
    assert int((data / "postmaster.pid").read_text().splitlines()[0]) != died
    assert asked(data, "SELECT count(*) FROM subscriptions_billingclock WHERE parked_at IS NOT NULL") == 0


def settled(data: Path) -> int:
    """Citizens that a run has settled; the twins were before."""
    return asked(data, f"SELECT count(*) FROM subscriptions_billingclock WHERE settled_at = '{FREEZE}'") - PEOPLE


def asked(data: Path, sql: str) -> int:
    with psycopg.connect(postgres.url(data)) as server:
        return int(server.execute(sql).fetchall()[0][0])


def test_runs_fail_when_postgres_is_killed_and_the_next_run_finishes_correctly(data):
    killed_at(data, "after_the_ledger", turn=2)
    # Of the second batch, nothing: its transactions were in the ledger, its charges were not written.
    assert settled(data) == BATCH
    killed_at(data, "after_commit", turn=1)
    # What was committed is there, although the run never heard another word from the server.
    assert settled(data) == 2 * BATCH
    town.well(town.child(environment(data), "bill_due", "--catch-up", now=FREEZE))
    census = town.counted(town.well(town.child(environment(data), "census")))
    assert len(census["citizen"]) == PEOPLE
    assert census["citizen"] == census["twin"]
    town.well(town.child(environment(data), "check_ledger"))
