"""Helpers: start a `make run` with its own folder and port, and look for processes that it left behind."""

import fcntl
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
from django.conf import settings

from tests.flows.site import wait_for

ROOT = Path(settings.BASE_DIR)
# What `make run` has Python run, and its first part, which comes before any import of ours.
[START] = re.findall(r"\t@exec \$\(PY\) -c '(.*run\.main.*)'", (ROOT / "Makefile").read_text())
FIRST = START[: START.index("from billing_site")]
# In seconds. A first start migrates and seeds the demo, perhaps beside other tests.
PATIENCE = 150
READY = "Ctrl-C stops everything"


class Running:
    """A launcher with its own var/ and port, in its own process group, as a shell starts it."""

    def __init__(self, var: Path, port: int, *, program: str = "", **more: str) -> None:
        self.port, self.log = port, var / "output"
        var.mkdir(parents=True, exist_ok=True)
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self.environment = (
            inherited | {"VAR_DIR": str(var), "PORT": str(port), "WEB_WORKERS": "1", "WORKERS": "1"} | more
        )
        command = [sys.executable, "-c", FIRST + program if program else START]
        with self.log.open("w") as out:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdout=out, stderr=out, process_group=0
            )

    @property
    def output(self) -> str:
        return self.log.read_text()

    def wait_for(self, text: str) -> None:
        """Wait until the output contains the text; fail if the launcher ends."""
        give_up = time.monotonic() + PATIENCE
        while text not in self.output:
            assert self.process.poll() is None, self.output
            assert time.monotonic() < give_up, self.output
            time.sleep(0.05)

    def get(self, path: str, **headers: str) -> requests.Response:
        return requests.get(f"http://127.0.0.1:{self.port}{path}", timeout=10, headers=headers)

    def wait_until_ready(self) -> None:
        """Wait until /readyz answers 200, which takes a web process and the database with its migrations."""
        give_up = time.monotonic() + 60
        while (ready := self.get("/readyz")).status_code != 200 and time.monotonic() < give_up:
            time.sleep(0.2)
        assert ready.json()["status"] == "ok", ready.text

    def billing_runs(self) -> int:
        """Return how many billing runs this database has seen, those of earlier starts too."""
        tasks = self.get("/statusz").json().get("tasks", {"all": {}})["all"]
        return int(tasks.get("subscriptions.tasks.bill_due", {"runs": 0})["runs"])

    def wait_for_a_billing_run(self) -> None:
        """Wait until one more billing run has finished, which takes a scheduler and a worker that have started."""
        before = self.billing_runs()
        wait_for(lambda: self.billing_runs() > before, "a billing run")

    def worker(self) -> int:
        """Return the process number of the Celery worker."""
        return next(pid for pid in children_of(self.process.pid) if b" worker " in command_of(pid))


@contextmanager
def running(var: Path, port: int, **more: str) -> Iterator[Running]:
    """Start a launcher and terminate it at the end, if it still runs."""
    run = Running(var, port, **more)
    try:
        yield run
    finally:
        if run.process.poll() is None:
            run.process.terminate()
            run.process.wait(timeout=60)


def make_stop(environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    """Run what `make stop` runs."""
    return subprocess.run(
        [sys.executable, "-m", "billing_site.local.stop"],
        env=environment, cwd=ROOT, capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def processes_of(var: Path) -> list[str]:
    """Return the command lines of all processes that have this var/ in their environment or command."""
    commands = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            text = (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
        except (FileNotFoundError, PermissionError, ProcessLookupError):
            continue
        if str(var).encode() in text and int(process.name) != os.getpid():
            commands.append(command_of(int(process.name)).decode())
    return commands


def nothing_is_left(var: Path) -> bool:
    """Return whether no process is left and the launcher's lock is free. Killed processes get some seconds to end."""
    give_up = time.monotonic() + 10
    while processes_of(var) and time.monotonic() < give_up:
        time.sleep(0.05)
    return processes_of(var) == [] and lock_is_free(var)


def lock_is_free(var: Path) -> bool:
    try:
        with (var / "run.lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        pass
    except BlockingIOError:
        return False
    return True


def children_of(pid: int) -> list[int]:
    return [int(each.name) for each in Path("/proc").glob("[0-9]*") if _parent_of(each) == pid]


def command_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
    except (FileNotFoundError, ProcessLookupError):
        return b""


def _parent_of(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0
