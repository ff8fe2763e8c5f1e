"""`make run`, as an operator meets it: everything comes up by one command and goes down with it."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from django.conf import settings

from billing_site.local import leftovers

ROOT = Path(settings.BASE_DIR)
# A first start migrates and tells the demo's story; two cores may be shared with other tests.
PATIENCE = 150

pytestmark = [pytest.mark.timeout(400), pytest.mark.xdist_group("run")]


class Running:
    """A `make run` of our own, with its own var/ and port."""

    def __init__(self, var: Path, port: int, **more: str) -> None:
        self.port, self.log = port, var / "output"
        var.mkdir(parents=True, exist_ok=True)
        keep = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self.environment = keep | {"VAR_DIR": str(var), "PORT": str(port), "WEB_WORKERS": "1", "WORKERS": "1"} | more
        with self.log.open("w") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "billing_site.local.run"], cwd=ROOT, env=self.environment, stdout=out, stderr=out
            )

    @property
    def output(self) -> str:
        return self.log.read_text()

    def wait_for(self, text: str) -> None:
        give_up = time.monotonic() + PATIENCE
        while text not in self.output:
            assert self.process.poll() is None, self.output
            assert time.monotonic() < give_up, self.output
            time.sleep(0.1)

    def get(self, path: str) -> requests.Response:
        return requests.get(f"http://127.0.0.1:{self.port}{path}", timeout=10)


@contextmanager
def running(var: Path, port: int, **more: str) -> Iterator[Running]:
    run = Running(var, port, **more)
    try:
        yield run
    finally:
        if run.process.poll() is None:
            run.process.terminate()
            run.process.wait(timeout=60)


def processes_of(var: Path) -> list[str]:
    """Return the command lines of all processes that were told of this var/, or serve its PostgreSQL."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            told = (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
            if process.name.isdigit() and str(var).encode() in told and int(process.name) != os.getpid():
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except (FileNotFoundError, NotADirectoryError, PermissionError, ProcessLookupError):
            continue
    return found


def nothing_left(var: Path) -> bool:
    give_up = time.monotonic() + 10
    while processes_of(var) and time.monotonic() < give_up:
        time.sleep(0.1)
    return processes_of(var) == []


def wait_until_ready(run: Running) -> None:
    """Scheduler and worker are up too: a billing run has been made."""
    give_up = time.monotonic() + 60
    while (ready := run.get("/readyz")).status_code != 200 and time.monotonic() < give_up:
        time.sleep(0.2)
    assert ready.json()["status"] == "ok", ready.text


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def var(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("run") / "var"


def test_it_comes_up_lived_in_and_ctrl_c_leaves_nothing_behind(var, port):
    with running(var, port) as run:
        run.wait_for("Ctrl-C stops everything")
        assert f"http://127.0.0.1:{port}/" in run.output
        assert re.search(r"anna +\S+ +a customer", run.output), "the log-ins are told"
        assert run.get("/livez").status_code == 200
        assert run.get("/pricing/").status_code == 200
        wait_until_ready(run)
        # The scheduler has written down by then what it has sent: stopped in the middle of that it would complain.
        time.sleep(3)
        assert len(processes_of(var)) >= 5
        run.process.send_signal(signal.SIGINT)
        assert run.process.wait(timeout=60) == 0, run.output
    assert "Traceback" not in run.output
    assert nothing_left(var), processes_of(var)


def test_a_second_start_is_quick_and_keeps_the_data_and_a_dead_child_ends_it(var, port):
    began = time.monotonic()
    with running(var, port) as run:
        run.wait_for("Ctrl-C stops everything")
        assert time.monotonic() - began < 60
        wait_until_ready(run)
        os.kill(worker_of(run), signal.SIGKILL)
        assert run.process.wait(timeout=60) not in (0, None)
    assert "worker ended with exit code -9" in run.output
    assert nothing_left(var), processes_of(var)


def test_whichever_process_below_the_worker_is_killed_tasks_go_on(var, port):
    """Of processes that wait for tasks at one lock, the one that holds it would take the others along."""
    with running(var, port) as run:
        run.wait_for("Ctrl-C stops everything")
        wait_until_ready(run)
        for process in children_of(worker_of(run)):
            os.kill(process, signal.SIGKILL)
        # The scheduler sends one every two seconds. Where nobody takes them, they stay.
        time.sleep(6)
        queue, give_up = var / "queue", time.monotonic() + 15
        while (waiting := list(queue.glob("*.msg"))) and time.monotonic() < give_up:
            time.sleep(0.05)
        assert waiting == []
        assert run.process.poll() is None


def test_what_a_killed_launcher_leaves_behind_is_ended_by_the_next_one_and_by_make_stop(var, port):
    with running(var, port) as run:
        run.wait_for("Ctrl-C stops everything")
        first = children_of(run.process.pid)
        run.process.kill()
        run.process.wait(timeout=60)
        assert first == [pid for pid in first if Path(f"/proc/{pid}").exists()]
    with running(var, port) as run:
        run.wait_for("Ctrl-C stops everything")
        assert "Ended what a killed run had left behind: web, worker, beat" in run.output
        assert [pid for pid in first if Path(f"/proc/{pid}").exists()] == []
        assert run.get("/livez").status_code == 200
        run.process.kill()
        run.process.wait(timeout=60)
        stop = subprocess.run(
            [sys.executable, "-m", "billing_site.local.stop"],
            env=run.environment, cwd=ROOT, capture_output=True, text=True, timeout=90, check=False,
        )  # fmt: skip
    assert (stop.returncode, stop.stderr) == (0, "")
    assert "web, worker, beat\nNothing is running." in stop.stdout
    assert nothing_left(var), processes_of(var)


def test_a_program_that_has_been_given_the_number_of_a_child_since_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(leftovers, "NOTES", tmp_path / "run.children")
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as other:
        leftovers.note({"web": other.pid})
        (pid, start) = json.loads(leftovers.NOTES.read_text())["web"]
        leftovers.NOTES.write_text(json.dumps({"web": [pid, f"{start}0"]}))
        assert leftovers.end(patience=1) == ([], [])
        assert other.poll() is None
        other.kill()


def test_a_child_that_does_not_listen_is_killed_in_the_end(tmp_path, monkeypatch):
    monkeypatch.setattr(leftovers, "NOTES", tmp_path / "run.children")
    deaf = [sys.executable, "-c", "import signal, time; signal.signal(15, signal.SIG_IGN); print(); time.sleep(60)"]
    with subprocess.Popen(deaf, start_new_session=True, stdout=subprocess.PIPE) as child:
        assert child.stdout
        child.stdout.readline()
        leftovers.note({"beat": child.pid})
        assert leftovers.end(patience=0.5) == (["beat"], [])
        # Long before its sleep is over. With which status is not asked: billiard may have waited for it (pid -1).
        child.wait(timeout=10)
    assert leftovers.end(patience=0.5) == ([], [])


def test_sigterm_stops_it_as_well_and_a_second_run_beside_it_is_refused(var, port):
    with running(var, port) as run:
        run.wait_for("Ctrl-C stops everything")
        second = Running(var, port + 1)
        assert second.process.wait(timeout=30) == 1
        assert "already running here" in second.output
        run.process.terminate()
        assert run.process.wait(timeout=60) == 0
    assert nothing_left(var), processes_of(var)


def test_a_taken_port_is_told_before_anything_starts(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        run = Running(tmp_path / "var", port)
        assert run.process.wait(timeout=30) == 1
    assert f"Port {port} cannot be used" in run.output
    assert f"PORT={port + 1} make run" in run.output
    assert not (tmp_path / "var" / "postgres").exists()


def worker_of(run: Running) -> int:
    return next(pid for pid in children_of(run.process.pid) if b"worker" in cmdline_of(Path(f"/proc/{pid}")))


def children_of(pid: int) -> list[int]:
    return [int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit() and parent_of(each) == pid]


def parent_of(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def cmdline_of(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""
