"""`make run`: PostgreSQL if need be, migrations, demo data, then web, worker and scheduler as children of this process.

A child that dies takes everything down with its exit code. Ctrl-C and SIGTERM stop all of it, the database last.
"""

import fcntl
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from billing_site.demo import logins
from billing_site.local import leftovers, postgres
from billing_site.local.places import ROOT, VAR

LOCK = VAR / "run.lock"
# Longer than gunicorn and Celery take for what they have begun.
PATIENCE = 20.0
COLOURS = {"web": "36", "worker": "33", "beat": "35"}


class Refused(Exception):
    """It cannot start. The message says why and what to do, for a person at a terminal."""


class Stop(Exception):
    """Asked to end: by Ctrl-C, or by SIGTERM."""


def main() -> int:
    """Run until told to stop or until a child dies. Return the exit code."""
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)
    os.environ.setdefault("PORT", "8000")
    os.environ.setdefault("HOST", "127.0.0.1")
    if not os.environ.get("SECRET_KEY"):
        os.environ.setdefault("LOCAL", "1")
    os.environ["PYTHONUNBUFFERED"] = "1"
    # Celery warns root of messages in pickle; ours are in JSON, and containers often have no other user.
    os.environ.setdefault("PYTHONWARNINGS", "ignore:You're running the worker:Warning")
    try:
        _prepare()
        return _serve()
    except Stop:
        return 0
    except (postgres.PostgresError, Refused) as error:
        print(error, file=sys.stderr)
        return 1


def _prepare() -> None:
    """Everything that can fail for a reason the user should read, before any child is started."""
    VAR.mkdir(parents=True, exist_ok=True)
    _only_one()
    _end_leftovers()
    _port_is_free(os.environ["HOST"], int(os.environ["PORT"]))
    if not os.environ.get("DATABASE_URL"):
        print(f"Starting PostgreSQL in {VAR / 'postgres'}", flush=True)
        postgres.hold(VAR / "postgres")
    prepare = [sys.executable, "-m", "billing_site.local.prepare"]
    done = subprocess.run(prepare, cwd=ROOT, check=False, start_new_session=True)
    if done.returncode:
        raise Refused("The database or the files could not be prepared; the reason stands above.")


def _serve() -> int:
    celery = ["celery", "--quiet", "--app", "billing_site"]
    threads = os.environ.get("WORKERS", "2")
    commands = {
        "web": ["gunicorn", "--config", "python:billing_site.gunicorn"],
        # Threads: processes would wait for tasks at one lock (unless the broker is Redis), and one that is killed
        # while it holds the lock leaves the others waiting for good.
        "worker": [
            *celery, "worker", "--pool", "threads", "--concurrency", threads, "--without-gossip", "--without-mingle",
        ],
        "beat": [*celery, "beat", "--pidfile="],
    }  # fmt: skip
    with _children(commands) as children:
        if _web_answers(children):
            print(_welcome(), flush=True)
        while True:
            for name, child in children.items():
                if child.poll() is not None:
                    print(f"{name} ended with exit code {child.returncode}; stopping everything.", file=sys.stderr)
                    return child.returncode or 1
            time.sleep(0.2)


@contextmanager
def _children(commands: dict[str, list[str]]) -> Iterator[dict[str, subprocess.Popen[str]]]:
    """Start each command, show its lines behind its name, and stop all of them at the end."""
    children: dict[str, subprocess.Popen[str]] = {}
    try:
        for name, command in commands.items():
            # Sessions of their own: a Ctrl-C in the terminal reaches this process only, which stops them in order.
            children[name] = subprocess.Popen(
                [sys.executable, "-m", *command], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL, text=True, errors="replace", start_new_session=True,
            )  # fmt: skip
            leftovers.note({name: child.pid for name, child in children.items()})
            threading.Thread(target=_show, args=(name, children[name]), daemon=True).start()
        yield children
    finally:
        _end(children)
        leftovers.forget()


def _end(children: dict[str, subprocess.Popen[str]]) -> None:
    """Ask all to finish, wait, and end the session of whoever did not."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for child in children.values():
        if child.poll() is None:
            child.terminate()
    give_up = time.monotonic() + PATIENCE
    for name, child in children.items():
        try:
            child.wait(timeout=max(give_up - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            print(f"{name} did not stop in time and is killed.", file=sys.stderr)
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # the usual case: the whole session is gone
        child.wait()


def _show(name: str, child: "subprocess.Popen[str]") -> None:
    label = f"{name:<6} |"
    if sys.stdout.isatty():
        label = f"\033[{COLOURS[name]}m{label}\033[0m"
    for line in child.stdout or ():
        print(label, line.rstrip("\n"), flush=True)


def _only_one() -> None:
    """Refuse a second run in the same checkout: it would be on the same database and the same queue."""
    lock = os.open(LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Refused(
            f"It is already running here (process {LOCK.read_text().strip()}); `make stop` ends it."
        ) from None
    os.ftruncate(lock, 0)
    os.write(lock, str(os.getpid()).encode())


def _end_leftovers() -> None:
    """End the children of a run that was killed: they would be a second site on this database."""
    ended, left = leftovers.end(patience=PATIENCE)
    if ended:
        print(f"Ended what a killed run had left behind: {', '.join(ended)}", flush=True)
    if left:
        raise Refused(f"A killed run left {', '.join(left)} behind, which cannot be ended; {leftovers.NOTES} has more.")


def _port_is_free(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Refused(
                f"Port {port} cannot be used on {host}: {error.strerror}. Choose another: PORT={port + 1} make run"
            ) from None


def _web_answers(children: "dict[str, subprocess.Popen[str]]") -> bool:
    """Wait until the site answers, so that the address printed below works when it is read."""
    host = "127.0.0.1" if os.environ["HOST"] == "0.0.0.0" else os.environ["HOST"]  # noqa: S104
    give_up = time.monotonic() + PATIENCE
    while time.monotonic() < give_up and all(child.poll() is None for child in children.values()):
        try:
            urllib.request.urlopen(f"http://{host}:{os.environ['PORT']}/livez", timeout=1).close()
            return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    return False


def _welcome() -> str:
    site = os.environ.get("SITE_URL") or f"http://127.0.0.1:{os.environ['PORT']}"
    people = f"\n{logins.listing()}\n" if os.environ.get("LOCAL") == "1" else ""
    return (
        f"\n  The site        {site}/\n  API description {site}/api/docs/\n  Staff           {site}/admin/\n"
        f"{people}\n  Ctrl-C stops everything. With LOG_LEVEL=INFO every request and task is logged here.\n"
    )


def _stop(number: int, frame: FrameType | None) -> None:
    raise Stop


if __name__ == "__main__":
    sys.exit(main())
