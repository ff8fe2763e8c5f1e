"""Which process serves a data directory: never a stranger, and never none while one does."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from billing_site.local import lease, processes
from billing_site.local.lease import ServerError
from billing_site.local.postgres import Postgres
from billing_site.local.valkey import Valkey


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """Return a directory with so short a path that the socket is in the data directory and moves with it."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        yield Path(name).resolve()


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[Postgres]:
    """Hold a PostgreSQL, and stop it at the end under whatever path it then has."""
    server = Postgres(tmp_path / "var" / "postgres", fsync=False)
    server.hold()
    pid = server.pid()
    assert pid
    yield server
    server.release()
    give_up = time.monotonic() + 30
    while processes.is_alive(pid) and time.monotonic() < give_up:
        processes.send(pid, server.stop_signal)
        time.sleep(0.1)
    assert not processes.is_alive(pid)


@pytest.mark.parametrize("name", ["valkey.log", "valkey-test", "valkey"])
def test_a_program_that_has_the_path_in_its_command_is_no_server(tmp_path, name):
    """A stale number may belong to `tail -f var/valkey.log`, or `var/valkey-test` may begin with `var/valkey`."""
    server = Valkey(tmp_path / "valkey")
    server.data.mkdir()
    command = ["sh", "-c", "sleep 60; true", "tail", "-f", str(tmp_path / name)]
    with subprocess.Popen(command, cwd=server.data) as stranger:
        try:
            (server.data / server.pid_name).write_text(f"{stranger.pid}\n")
            assert server.pid() is None
            assert server.stop_unused() == ""
            assert stranger.poll() is None
        finally:
            stranger.kill()


def test_the_server_of_another_directory_is_left_alone(tmp_path):
    live = Valkey(tmp_path / "valkey-test")
    live.hold()
    pid = live.pid()
    assert pid
    stale = Valkey(tmp_path / "valkey")
    stale.data.mkdir()
    (stale.data / stale.pid_name).write_text(f"{pid}\n")
    assert stale.pid() is None
    assert stale.stop_unused() == ""
    assert processes.is_alive(pid)
    assert live.release()


def test_a_recorded_number_that_was_given_to_another_program_is_not_trusted(tmp_path):
    server = Valkey(tmp_path / "valkey")
    server.hold()
    assert server.record.read_text() == f"{server.pid()} {processes.start_of(server.pid() or 0)}"
    assert server.release()
    assert not server.record.exists()
    server.record.write_text(f"{os.getpid()} {processes.start_of(os.getpid())}0")
    assert server.pid() is None


def test_a_server_that_was_started_without_a_record_is_found(tmp_path):
    server = Valkey(tmp_path / "valkey")
    server.hold()
    pid = server.pid()
    server.record.unlink()
    other = Valkey(tmp_path / "valkey")
    other.hold()
    assert other.pid() == pid
    assert not other.release(), "the first one still holds it"
    assert server.release()
    assert not processes.is_alive(pid or 0)


def test_a_running_server_is_found_through_a_link(postgres, tmp_path):
    (tmp_path / "alias").symlink_to(tmp_path / "var")
    (tmp_path / "pg").symlink_to(postgres.data)
    for path in (tmp_path / "alias" / "postgres", tmp_path / "pg"):
        other = Postgres(path, fsync=False)
        other.hold()
        assert other.pid() == postgres.pid()
        assert not other.release(), "both hold the same lease"


@pytest.mark.parametrize("is_recorded", [True, False])
def test_a_running_server_is_found_after_its_directory_was_moved(postgres, tmp_path, is_recorded):
    pid = postgres.pid()
    if not is_recorded:
        postgres.record.unlink()
    (tmp_path / "var").rename(tmp_path / "elsewhere")
    moved = Postgres(tmp_path / "elsewhere" / "postgres", fsync=False)
    moved.hold()
    assert moved.pid() == pid
    with psycopg.connect(moved.url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert int((moved.data / "postmaster.pid").read_text().splitlines()[0]) == pid
    moved.release()


def test_a_server_that_may_serve_the_directory_is_not_pushed_aside(postgres, monkeypatch):
    """Without /proc, or as another user, nobody can tell which directory a PostgreSQL serves."""
    postgres.record.unlink()
    monkeypatch.setattr(processes, "works_in", lambda pid, directory: None)
    other = Postgres(postgres.data, fsync=False)
    with pytest.raises(ServerError, match=f"process {postgres.pid() or ''}"):
        other.hold()
    assert (postgres.data / "postmaster.pid").exists()
    other.release()


def test_the_answer_of_another_server_is_not_taken_for_that_of_the_launched_one(tmp_path, monkeypatch):
    """A second server that ends at once has a socket at which the first one answers."""
    monkeypatch.setattr(lease, "PATIENCE", 2)
    first = Valkey(tmp_path / "valkey")
    first.hold()
    second = Valkey(tmp_path / "valkey")
    second.launch(["sleep", "0.3"])
    with pytest.raises(ServerError, match="cannot be reached"):
        second.wait_until_ready(time.sleep)
    first.release()
    shutil.rmtree(first.data, ignore_errors=True)
