"""The launcher's children, written down, so that they can be ended after the launcher itself was killed and could not.

A number alone may be another program's by now; one with its start is nobody else's.
"""

import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from billing_site.local.places import VAR

NOTES = VAR / "run.children"
BOOT = Path("/proc/sys/kernel/random/boot_id")


def note(children: Mapping[str, int]) -> None:
    """Write down who runs: names and process numbers. For the holder of the launcher's lock only, like all of this."""
    draft = NOTES.with_suffix(".draft")
    draft.write_text(json.dumps({name: [pid, _start_of(pid)] for name, pid in children.items()}))
    draft.rename(NOTES)


def forget() -> None:
    """Write down that nobody runs."""
    NOTES.unlink(missing_ok=True)


def end(*, patience: float) -> tuple[list[str], list[str]]:
    """End whoever is left: asked first, killed after `patience` seconds. Return who ended and who would not."""
    noted = _noted()
    left = _running(noted)
    began, found = time.monotonic(), [*left]
    for pid in left.values():
        _send(pid, signal.SIGTERM)
    while (left := _running(noted)) and time.monotonic() < began + patience + 5:
        if time.monotonic() > began + patience:
            for pid in left.values():
                _send(pid, signal.SIGKILL)
        time.sleep(0.1)
    if not left:
        forget()
    return [name for name in found if name not in left], [*left]


def _noted() -> dict[str, tuple[int, str]]:
    try:
        return {name: (int(pid), str(start)) for name, (pid, start) in json.loads(NOTES.read_text()).items()}
    except (FileNotFoundError, ValueError):
        return {}


def _running(noted: Mapping[str, tuple[int, str]]) -> dict[str, int]:
    return {name: pid for name, (pid, start) in noted.items() if start and _start_of(pid) == start}


def _start_of(pid: int) -> str:
    """Return when the process began, in a form that no other start has; empty when it does not run (any more)."""
    if BOOT.exists():
        try:
            state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return ""
        # Field 22 of proc_pid_stat(5): ticks since the boot.
        return "" if state == "Z" else f"{BOOT.read_text().strip()} {fields[18]}"
    ask = ["ps", "-o", "lstart=", "-p", str(pid)]
    return subprocess.run(ask, capture_output=True, text=True, check=False).stdout.strip()


def _send(pid: int, number: signal.Signals) -> None:
    """SIGKILL is for the child's whole session; what else there is it passes on itself."""
    try:
        (os.killpg if number == signal.SIGKILL else os.kill)(pid, number)
    except ProcessLookupError:
        pass  # it ended by itself just now
