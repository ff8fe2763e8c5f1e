"""The product as it runs: web by gunicorn and a Celery worker, each a process of its own. No test lives here."""

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
    """Starts processes and remembers them; `ahead` is how far a machine's clock is ahead of ours."""

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
        """Run a command of manage.py to its end."""
        command = [sys.executable, str(SHIFTED), str(ahead.total_seconds()), "manage", *words]
        return subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False, timeout=PATIENCE
        )

    def kill(self, name: str) -> None:
        """SIGKILL the program and its children, and wait until they are gone."""
        process = self.running.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=PATIENCE)

    def stop(self, *names: str) -> None:
        """Ask these to end, as an operator does, and insist in the end."""
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
                    pass  # the usual case: all of it is gone

    def answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/livez", timeout=2).ok
        except (requests.ConnectionError, requests.Timeout):
            return False

    def log(self, name: str) -> str:
        return (self.place / f"{name}.log").read_text(errors="replace")

    def start(self, name: str, command: list[str], **environment: str) -> None:
        """Start a program; what it prints is in `log(name)`."""
        with (self.place / f"{name}.log").open("ab") as out:
            self.running[name] = subprocess.Popen(
                command, cwd=ROOT, env=self.environment | environment, stdout=out, stderr=out,
                stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip


class Visitor:
    """Somebody with a program that speaks to the API."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.session = requests.Session()

    def call(self, method: str, path: str, *, expect: int = 200, **body: Any) -> Any:
        """Send JSON, expect a status, return the JSON of the answer."""
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


def wait_for(true: Callable[[], Any], what: str, *, every: float = 0.1) -> Any:
    """Ask again and again until the answer is true, and return it."""
    give_up = time.monotonic() + PATIENCE
    while not (answer := true()):
        assert time.monotonic() < give_up, f"waited in vain for {what}"
        time.sleep(every)
    return answer


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
