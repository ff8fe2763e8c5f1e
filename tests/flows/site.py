"""Helpers: web and worker as real processes, and a client of the API."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).resolve().parent.parent.parent
SHIFTED = Path(__file__).with_name("clock_shift.py")
PATIENCE = 90.0
NOW = timedelta(0)


class Site:
    """Starts and stops the processes. `ahead` is how far the clock of a process is ahead of ours."""

    def __init__(self, environment: Mapping[str, str], place: Path) -> None:
        self.place = place
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = dict(environment) | {
            "PORT": str(self.port), "SITE_URL": self.url, "WEB_WORKERS": "1", "VAR_DIR": str(place),
            "PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": "ignore:You're running the worker:Warning",
        }  # fmt: skip
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start_web(self, *, ahead: timedelta = NOW) -> None:
        self.start("web", shifted(ahead, "gunicorn", "--config", "python:billing_site.gunicorn"))
        wait_for(self.answers, "the web server")

    def start_worker(self, *, ahead: timedelta = NOW, **environment: str) -> None:
        celery = ["celery", "--quiet", "--app", "billing_site", "worker", "--concurrency", "1"]
        self.start("worker", shifted(ahead, *celery, "--without-gossip", "--without-mingle"), **environment)

    def manage(self, *words: str, ahead: timedelta = NOW) -> "subprocess.CompletedProcess[str]":
        """Run a command of manage.py and wait for its end."""
        command = [sys.executable, str(SHIFTED), str(ahead.total_seconds()), "manage", *words]
        return subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False, timeout=PATIENCE
        )

    def kill(self, name: str) -> None:
        """Kill the program and its children with SIGKILL, and wait for its end."""
        process = self.running.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=PATIENCE)

    def stop(self, *names: str) -> None:
        """Send SIGTERM to these, as an operator does, and SIGKILL to what is left after 20 seconds."""
        for name in names:
            self.running[name].terminate()
        for name in names:
            process = self.running.pop(name)
            try:
                process.wait(timeout=20)
            finally:
                try:
                    os.killpg(process.pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass  # the usual case: all of them have ended

    def answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/livez", timeout=2).ok
        except (requests.ConnectionError, requests.Timeout):
            return False

    def log(self, name: str) -> str:
        return (self.place / f"{name}.log").read_text(errors="replace")

    def start(self, name: str, command: list[str], **environment: str) -> None:
        """Start a program. Its output is in `log(name)`."""
        with (self.place / f"{name}.log").open("ab") as out:
            self.running[name] = subprocess.Popen(
                command, cwd=ROOT, env=self.environment | environment, stdout=out, stderr=out,
                stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip


class Visitor:
    """A client of the API."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.session = requests.Session()

    def call(self, method: str, path: str, *, expect: int = 200, **body: Any) -> Any:
        """Send JSON, check the status, return the JSON of the response."""
        answer = self.session.request(
            method, f"{self.site.url}/api/{path}", json=body or None, timeout=30, allow_redirects=False
        )
        assert answer.status_code == expect, f"{answer.status_code} {answer.text}\n{self.site.log('web')[-3000:]}"
        return answer.json() if answer.content else None

    def log_in(self, username: str, password: str) -> None:
        pair = self.call("POST", "auth/token", username=username, password=password)
        self.session.headers["Authorization"] = f"Bearer {pair['access']}"


def shifted(ahead: timedelta, *words: str) -> list[str]:
    return [sys.executable, str(SHIFTED), str(ahead.total_seconds()), *words]


def wait_for(condition: Callable[[], Any], what: str, *, every: float = 0.1) -> Any:
    """Call `condition` every so many seconds until its result is true, and return that result."""
    give_up = time.monotonic() + PATIENCE
    while not (result := condition()):
        assert time.monotonic() < give_up, f"timed out while waiting for {what}"
        time.sleep(every)
    return result


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
