"""SIGKILL of PostgreSQL during a billing run, on a separate server."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from billing_site.local.postgres import Postgres
from tests.faults import town
from tests.faults.town import BATCH, NOW

# It makes a server and migrates it, which takes minutes beside other programs.
pytestmark = pytest.mark.timeout(400)
PEOPLE = 10
MIGRATE = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
FREEZE = NOW.isoformat()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The data directory of a migrated server that syncs to disk, as in production. It stops with this process."""
    data = tmp_path / "pg"
    Postgres(data).hold()
    subprocess.run(MIGRATE, env=environment(data), check=True, timeout=300, cwd=town.CHILD.parent.parent.parent)
    town.check_output(town.run_child(environment(data), "populate", str(PEOPLE), now=FREEZE))
    return data


def environment(data: Path) -> dict[str, str]:
    return os.environ | {"LOCAL": "1", "DATABASE_URL": Postgres(data).url}


def kill_server_at(data: Path, point: str, turn: int) -> None:
    """Let a run kill its server at a point, assert that it fails and parks no book, and restart the server."""
    pid = int((data / "postmaster.pid").read_text().splitlines()[0])
    run = town.run_child(environment(data), "bill_due", "--catch-up", now=FREEZE, at=point, turn=turn, victim=pid)
    assert run.returncode not in (0, -signal.SIGKILL), run.stdout
    assert "OperationalError" in run.stderr
    Postgres(data).hold()
    assert int((data / "postmaster.pid").read_text().splitlines()[0]) != pid
    assert query(data, "SELECT count(*) FROM subscriptions_billingclock WHERE parked_at IS NOT NULL") == 0


def settled(data: Path) -> int:
    """Return how many citizens a run has settled. The twins are settled already."""
    return query(data, f"SELECT count(*) FROM subscriptions_billingclock WHERE settled_at = '{FREEZE}'") - PEOPLE


def query(data: Path, sql: str) -> int:
    with psycopg.connect(Postgres(data).url) as server:
        return int(server.execute(sql).fetchall()[0][0])


def test_runs_fail_when_postgres_is_killed_and_the_next_run_finishes_correctly(data):
    kill_server_at(data, "after_the_ledger", turn=2)
    # Nothing of the second batch is saved: the kill came between its transactions and its charges.
    assert settled(data) == BATCH
    kill_server_at(data, "after_commit", turn=1)
    # The commit is saved, although the run did not get the answer.
    assert settled(data) == 2 * BATCH
    town.check_output(town.run_child(environment(data), "bill_due", "--catch-up", now=FREEZE))
    census = town.parse_census(town.check_output(town.run_child(environment(data), "census")))
    assert len(census["citizen"]) == PEOPLE
    assert census["citizen"] == census["twin"]
    town.check_output(town.run_child(environment(data), "check_ledger"))
