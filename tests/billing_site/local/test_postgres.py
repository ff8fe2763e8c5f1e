"""The embedded PostgreSQL, and the lease, which Valkey uses too."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from billing_site.local import processes
from billing_site.local.lease import ServerError, make_private
from billing_site.local.postgres import Postgres

# Holds the server, adds a row to a table, prints the number of rows, and ends when its input ends.
CLIENT = """
import sys
from pathlib import Path
import psycopg
from billing_site.local.lease import ServerError
from billing_site.local.postgres import Postgres
server = Postgres(Path(sys.argv[1]))
try:
    server.hold()
except ServerError as error:
    sys.exit(str(error))
with psycopg.connect(server.url, autocommit=True) as server:
    server.execute("CREATE TABLE IF NOT EXISTS seen (id int)")
    server.execute("INSERT INTO seen VALUES (1)")
    print(server.execute("SELECT count(*) FROM seen").fetchone()[0], flush=True)
sys.stdin.read()
"""


def client(data: Path) -> "subprocess.Popen[str]":
    """Start a process that runs CLIENT."""
    return subprocess.Popen(
        [sys.executable, "-c", CLIENT, str(data)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def wait_until_up(process: "subprocess.Popen[str]") -> None:
    """Wait until the client holds a running server."""
    assert process.stdout is not None
    assert process.stdout.readline().strip().isdigit()


def visit(data: Path) -> tuple[str, str]:
    """Run one client to its end. Return what it printed and its errors."""
    with client(data) as process:
        out, error = process.communicate(timeout=60)
    assert process.returncode == 0 or "PostgreSQL" in error, error
    return out.strip(), error.strip()


def count(data: Path) -> int:
    """Run one client and return how many rows there are with its own."""
    out, error = visit(data)
    assert error == ""
    return int(out)


def wait_until(condition, seconds: float = 10) -> bool:
    give_up = time.monotonic() + seconds
    while not condition() and time.monotonic() < give_up:
        time.sleep(0.02)
    return bool(condition())


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """Return a data directory that has been used once, because creating one takes a second."""
    data = tmp_path_factory.mktemp("pg") / "data"
    assert visit(data) == ("1", "")
    return data


def test_the_last_holder_to_leave_stops_the_server(made):
    before = count(made)
    assert not (made / "postmaster.pid").exists()
    assert count(made) == before + 1, "the data is still there"


def test_holders_that_start_together_share_one_server(made):
    before = count(made)
    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda _: visit(made), range(5)))
    assert [error for _, error in answers] == [""] * 5
    assert count(made) == before + 6
    assert not (made / "postmaster.pid").exists()


def test_the_server_cannot_be_reached_over_the_network(made):
    with client(made) as process:
        wait_until_up(process)
        with psycopg.connect(Postgres(made).url) as server:
            assert server.execute("SHOW listen_addresses").fetchone() == ("",)
        assert made.stat().st_mode & 0o077 == 0
        process.communicate(timeout=60)


def test_the_next_holder_takes_over_the_server_of_a_killed_one(made):
    with client(made) as process:
        wait_until_up(process)
        process.kill()
    assert (made / "postmaster.pid").exists()
    assert visit(made)[1] == ""
    assert not (made / "postmaster.pid").exists()


def test_stop_ends_the_server_of_a_killed_holder(made):
    with client(made) as process:
        wait_until_up(process)
        process.kill()
    assert Postgres(made).stop_unused() == ""
    assert not (made / "postmaster.pid").exists()


def test_stop_names_the_process_that_uses_the_server_and_leaves_it_alone(made):
    with client(made) as process:
        wait_until_up(process)
        assert f"in use by process {process.pid} (" in Postgres(made).stop_unused()
        assert (made / "postmaster.pid").exists()
        process.communicate(timeout=60)


def test_a_killed_server_restarts_with_all_its_data(made):
    before = count(made)
    with client(made) as process:
        wait_until_up(process)
        pid = int((made / "postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, signal.SIGKILL)
        process.communicate(timeout=60)
    assert wait_until(lambda: not processes.is_alive(pid))
    assert visit(made) == (str(before + 2), "")


def test_a_process_number_of_another_program_is_not_trusted(made):
    """Containers count processes from 1 again, so the number in the file may soon belong to another program."""
    (made / "postmaster.pid").write_text(f"{os.getpid()}\n{made}\n")
    assert visit(made)[1] == ""


def test_data_of_another_version_is_refused_with_advice(made):
    version = made / "PG_VERSION"
    ours = version.read_text()
    version.write_text("17\n")
    try:
        _, error = visit(made)
    finally:
        version.write_text(ours)
    assert "was made by PostgreSQL 17" in error
    assert "DATABASE_URL" in error


def test_a_checkout_with_a_long_path_gets_a_short_socket_path(tmp_path):
    data = tmp_path / ("deep" * 30) / "postgres"
    assert len(str(Postgres(data).socket_dir / Postgres.socket_name)) <= 103
    assert visit(data) == ("1", "")
    assert Postgres(data).socket_dir.stat().st_mode & 0o077 == 0


def test_an_interrupted_start_does_not_block_the_next(tmp_path):
    (tmp_path / "data.new").mkdir()
    (tmp_path / "data.new" / "half").write_text("made")
    assert visit(tmp_path / "data") == ("1", "")


def test_a_directory_prepared_by_somebody_else_is_refused(tmp_path):
    trap = tmp_path / "trap"
    trap.mkdir(mode=0o777)
    trap.chmod(0o777)
    with pytest.raises(ServerError, match="not ours alone"):
        make_private(trap)
