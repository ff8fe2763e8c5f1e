"""The launcher's child processes: start, watch, show what they print, stop.

They are recorded in a file, so that the next start or `make stop` can end them after the launcher itself was killed.
"""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable

from billing_site.local import processes
from billing_site.local.paths import ROOT, VAR

RECORD = VAR / "run.children"
# Seconds that a child has to stop. Longer than gunicorn and Celery need to finish what they have begun.
PATIENCE = 20.0
COLOURS = {"web": "36", "worker": "33", "beat": "35", "stripe": "32", "yookassa": "32"}


class Children:
    """Child processes by name, each in a session of its own. Only the holder of the launcher's lock may start any."""

    def __init__(self) -> None:
        self._processes: dict[str, subprocess.Popen[str]] = {}
        self._printers: dict[str, threading.Thread] = {}

    def start(self, name: str, command: list[str]) -> None:
        """Start a command. Ctrl-C in the terminal does not reach it, so that stop() ends all of them in order."""
        child = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            text=True, errors="replace", start_new_session=True,
        )  # fmt: skip
        self._processes[name] = child
        self._record()
        self._printers[name] = threading.Thread(target=_show, args=(name, child), daemon=True)
        self._printers[name].start()

    def wait(self, name: str, pause: Callable[[float], None]) -> int:
        """Wait until a child ends, forget it, and return its exit code. `pause` sleeps; it may raise to end that."""
        child = self._processes[name]
        while child.poll() is None:
            pause(0.05)
        self._printers[name].join(timeout=5)
        del self._processes[name]
        self._record()
        return child.returncode

    def ended(self) -> tuple[str, int] | None:
        """Return the name and exit code of a child that has ended, if there is one."""
        for name, child in self._processes.items():
            if child.poll() is not None:
                return name, child.returncode
        return None

    def stop(self) -> None:
        """Ask all to stop, wait, and kill those that do not. Call it with signals ignored."""
        for child in self._processes.values():
            if child.poll() is None:
                child.terminate()
        give_up = time.monotonic() + PATIENCE
        for name, child in self._processes.items():
            try:
                child.wait(timeout=max(give_up - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                say(f"{name} did not stop in time and is killed.", error=True)
            processes.kill_session(child.pid)
            child.wait()
            self._printers[name].join(timeout=1)
        self._processes.clear()
        if self._printers:  # a launcher that started nothing may run beside the one that wrote the record
            RECORD.unlink(missing_ok=True)

    def _record(self) -> None:
        record({name: child.pid for name, child in self._processes.items()})


def record(children: dict[str, int]) -> None:
    """Write down which children run, by name and process number."""
    draft = RECORD.with_suffix(".draft")
    draft.write_text(json.dumps({name: [pid, processes.start_of(pid)] for name, pid in children.items()}))
    draft.rename(RECORD)


def end_recorded(*, patience: float = PATIENCE) -> tuple[list[str], list[str]]:
    """End the children that a killed launcher left behind.

    Return the names of those that ended and of those that still run.
    """
    try:
        recorded = {name: (int(pid), str(start)) for name, (pid, start) in json.loads(RECORD.read_text()).items()}
    except (FileNotFoundError, NotADirectoryError, ValueError, TypeError, AttributeError):
        return [], []  # none, or not one that we wrote
    ended, left = processes.end(recorded, patience=patience)
    if not left:
        RECORD.unlink(missing_ok=True)
    return ended, left


def unusable(error: OSError) -> str:
    """Return one line that says why var/ cannot be used and what to do."""
    return (
        f"{VAR} cannot be used: {error.strerror}: {error.filename}. It must be a directory of your own; "
        "remove it, or name another one in VAR_DIR."
    )


def say(text: str, *, error: bool = False) -> None:
    """Print a line. Ignore a terminal that was closed, so that stopping goes on."""
    try:
        print(text, file=sys.stderr if error else sys.stdout, flush=True)
    except OSError:
        pass


def _show(name: str, child: "subprocess.Popen[str]") -> None:
    """Print each line of a child's output with its name before it, until it ends."""
    label = f"{name:<6} |"
    if sys.stdout.isatty():
        label = f"\033[{COLOURS.get(name, '0')}m{label}\033[0m"
    for line in child.stdout or ():
        say(f"{label} {line.rstrip()}" if name in COLOURS else line.rstrip())
