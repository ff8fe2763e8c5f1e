"""`make run`: start the embedded servers if needed, prepare tables and files, then run web, worker and scheduler.

If a child ends, everything stops with its exit code. Ctrl-C and SIGTERM stop everything, the servers last.
"""

import fcntl
import os
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping

from django.core.exceptions import ImproperlyConfigured

from billing_site.demo import logins
from billing_site.environment import env
from billing_site.local import children, fake_gateways, prepare, processes, servers
from billing_site.local.children import Children, say
from billing_site.local.lease import Pause, Server, ServerError
from billing_site.local.paths import VAR
from billing_site.local.signals import Stop, StopSignals

LOCK = VAR / "run.lock"
HIGHEST_PORT = 65535
PREPARE = [sys.executable, "-m", "billing_site.local.prepare"]


class Refused(Exception):
    """The run cannot start. The message says why and what to do; it is empty if that was printed already."""


def commands() -> dict[str, list[str]]:
    """Return the commands of web, worker and scheduler: the same programs as in production."""
    celery = [sys.executable, "-m", "celery", "--quiet", "--app", "billing_site"]
    processes_of_a_worker = str(env.int("WORKERS", default=2, least=1))
    worker = [
        *celery, "worker", "--concurrency", processes_of_a_worker, "--without-gossip", "--without-mingle",
    ]  # fmt: skip
    return {
        "web": [sys.executable, "-m", "gunicorn", "--config", "python:billing_site.gunicorn"],
        "worker": [*worker, "--queues", "billing", "--hostname", "billing@%h"],
        "payments-worker": [*worker, "--queues", "payments", "--hostname", "payments@%h"],
        # One process: a local run has few mails.
        "deliveries-worker": [
            *celery, "worker", "--concurrency", "1", "--without-gossip", "--without-mingle",
            "--queues", "deliveries", "--hostname", "deliveries@%h",
        ],
        "beat": [*celery, "beat", "--pidfile="],
    }  # fmt: skip


class Launcher:
    """One run, from its start to its end, in the main thread."""

    def __init__(self, preparing: list[str], serving: Mapping[str, list[str]]) -> None:
        self.preparing, self.serving = preparing, serving
        self.signals = StopSignals()
        self.children = Children()
        self.held: list[Server] = []
        self.lock: int | None = None

    def run(self) -> int:
        """Run until asked to stop or until a child ends. Return the exit code."""
        try:
            self.start()
            return self.watch()
        except Stop:
            return 0
        except (ServerError, Refused) as error:
            if str(error):
                say(str(error), error=True)
            return 1
        finally:
            self.stop()

    def start(self) -> None:
        """Check, start the servers and prepare, which may fail with a message for the user; then start the children."""
        pause = self.signals.pause
        port = _port()
        try:
            VAR.mkdir(parents=True, exist_ok=True)
            self.lock = _only_one()
            _end_former_children()
        except OSError as error:
            raise Refused(children.unusable(error)) from None
        _port_is_free(os.environ["HOST"], port)
        for server in servers.needed():
            say(f"Starting {server.title} in {server.data}")
            self.held.append(server)
            server.hold(pause)
        self.children.start("prepare", self.preparing)
        code = self.children.wait("prepare", pause)
        # A signal to our whole group may strike a child in the moment before it has its own session, too.
        pause(0)
        if code == prepare.REFUSED:
            raise Refused
        if code:
            raise Refused("The database or the files could not be prepared; the reason is above.")
        for name, command in self.serving.items():
            self.children.start(name, command)

    def watch(self) -> int:
        """Print the addresses when the site answers, then wait. Return the exit code of the first child to end."""
        if self._web_answers(self.signals.pause):
            say(_welcome())
        while (ended := self.children.ended()) is None:
            self.signals.pause(0.2)
        self.signals.pause(0)  # as after `prepare`
        name, code = ended
        say(f"{name} ended with exit code {code}; stopping everything.", error=True)
        return code or 1

    def stop(self) -> None:
        """Stop everything in order: children first, PostgreSQL last. Further signals are ignored."""
        self.signals.ignore()
        self.children.stop()
        for server in reversed(self.held):
            server.release()
        if self.lock is not None:
            os.ftruncate(self.lock, 0)

    def _web_answers(self, pause: Pause) -> bool:
        """Wait until the site answers, however long a busy machine needs. Return False if a child ends."""
        host = "127.0.0.1" if os.environ["HOST"] == "0.0.0.0" else os.environ["HOST"]  # noqa: S104
        tell_at = time.monotonic() + children.PATIENCE
        while self.children.ended() is None:
            try:
                urllib.request.urlopen(f"http://{host}:{os.environ['PORT']}/livez", timeout=2).close()
                return True
            except (urllib.error.URLError, OSError):
                pause(0.1)
            if time.monotonic() > tell_at:
                say("The site does not answer yet; waiting for it.")
                tell_at += children.PATIENCE
        return False


def main() -> int:
    """Run the product. Return the exit code."""
    os.environ["PORT"] = env.str("PORT", default="8000")
    os.environ["HOST"] = env.str("HOST", default="127.0.0.1")
    if not env.str("SECRET_KEY") and not env.str("LOCAL"):
        os.environ["LOCAL"] = "1"
    os.environ["PYTHONUNBUFFERED"] = "1"
    # Celery warns root about pickle; our messages are JSON, and containers often have no other user.
    os.environ.setdefault("PYTHONWARNINGS", "ignore:You're running the worker:Warning")
    try:
        fake = fake_gateways.chosen()
        serving = commands()
    except (ValueError, ImproperlyConfigured) as error:
        say(str(error), error=True)
        return 1
    if fake:
        os.environ |= fake.environment()
        return Launcher(PREPARE, {fake.gateway: fake.command(), **serving}).run()
    return Launcher(PREPARE, serving).run()


def _only_one() -> int:
    """Refuse a second run in the same checkout, which would use the same database and queue. Return the held lock.

    While it is held, the file names the process that holds it, by its number and start.
    """
    lock = os.open(LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        if holder := processes.recorded_in(LOCK):
            raise Refused(f"It is already running here (process {holder[0]}); `make stop` ends it.") from None
        raise Refused("`make run` or `make stop` is at work here at this moment. Try again.") from None
    os.ftruncate(lock, 0)
    os.write(lock, f"{os.getpid()} {processes.start_of(os.getpid())}".encode())
    return lock


def _end_former_children() -> None:
    """End the children of a killed run, which would be a second site on this database."""
    ended, left = children.end_recorded()
    if ended:
        say(f"Ended what a killed run had left behind: {', '.join(ended)}")
    if left:
        raise Refused(f"A killed run left {', '.join(left)} behind, which cannot be ended; see {children.RECORD}.")


def _port() -> int:
    sent = os.environ["PORT"]
    port = int(sent) if sent.isascii() and sent.isdigit() and len(sent) < 6 else 0
    if not 1 <= port <= HIGHEST_PORT:
        raise Refused(f"PORT is {sent!r}, but must be a number from 1 to {HIGHEST_PORT}: PORT=8100 make run")
    return port


def _port_is_free(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            other = port + 1 if port < HIGHEST_PORT else 8000
            raise Refused(
                f"Port {port} cannot be used on {host}: {error.strerror}. Choose another: PORT={other} make run"
            ) from None


def _welcome() -> str:
    site = env.str("SITE_URL") or f"http://127.0.0.1:{os.environ['PORT']}"
    is_local = env.bool("LOCAL", default=False)
    people = f"  Mails           {site}/dev/mail/\n\n{logins.listing()}\n" if is_local else ""
    return (
        f"\n  The site        {site}/\n  API description {site}/api/docs/\n  Staff           {site}/admin/\n"
        f"{people}\n  Ctrl-C stops everything. With LOG_LEVEL=INFO every request and task is logged here.\n"
    )
