"""Processes of this machine: whether one runs, its command, which ones have a file open, and how to end them.

The system reuses process numbers; a number together with its start time is unique.
"""

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

BOOT = Path("/proc/sys/kernel/random/boot_id")
PROC = Path("/proc/self").exists()


def start_of(pid: int) -> str:
    """Return when the process began, unique on this machine. Empty if it does not run (a zombie does not)."""
    if BOOT.exists():
        try:
            state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return ""
        # Field 22 of proc_pid_stat(5): ticks since the boot.
        return "" if state == "Z" else f"{BOOT.read_text().strip()} {fields[18]}"
    return _ps("lstart=", pid)


def is_alive(pid: int) -> bool:
    """Return whether the process runs."""
    return bool(start_of(pid))


def command_of(pid: int) -> str:
    """Return the command line of the process. Empty if it does not run."""
    if not PROC:
        return _ps("command=", pid)
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def program_of(pid: int) -> str:
    """Return the name of the program that the process runs, without its folder. Empty if it does not run."""
    if not PROC:
        return Path(_ps("comm=", pid)).name
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def works_in(pid: int, directory: Path) -> bool | None:
    """Return whether this is the process's working directory; None if this user or system cannot tell."""
    if not PROC:
        return None
    try:
        return Path(f"/proc/{pid}/cwd").samefile(directory)
    except (FileNotFoundError, ProcessLookupError):
        return False
    except PermissionError:
        return None


def record_in(file: Path, pid: int) -> None:
    """Write down which process runs, in one step."""
    draft = file.with_name(f"{file.name}.draft")
    draft.write_text(f"{pid} {start_of(pid)}")
    draft.rename(file)


def recorded_in(file: Path) -> tuple[int, str] | None:
    """Return the number and the start of the process that the file names, if that process still runs."""
    try:
        number, _, start = file.read_text().strip().partition(" ")
        pid = int(number)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    return (pid, start) if start and start_of(pid) == start else None


def describe(pid: int) -> str:
    """Return the process number with its command, for a person at a terminal."""
    return f"process {pid} ({command_of(pid)[:200]})"


def users_of(file: Path) -> list[int]:
    """Return the other processes that have the file open, as far as this user may see them."""
    if not PROC:
        output = subprocess.run(["lsof", "-t", str(file)], capture_output=True, text=True, check=False).stdout
        return [int(pid) for pid in output.split() if int(pid) != os.getpid()]
    target, users = file.stat(), []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            is_open = any(os.path.samestat(target, one.stat()) for one in (process / "fd").iterdir() if one.exists())
        except OSError:
            continue  # the process has just ended, or belongs to another user
        if is_open and int(process.name) != os.getpid():
            users.append(int(process.name))
    return sorted(users)


def end(started: Mapping[str, tuple[int, str]], *, patience: float) -> tuple[list[str], list[str]]:
    """End processes given by number and start time: with SIGTERM, and with SIGKILL after `patience` seconds.

    Return the names of those that ended and of those that still run.
    """
    left = _running(started)
    began, names = time.monotonic(), [*left]
    for pid in left.values():
        send(pid, signal.SIGTERM)
    while (left := _running(started)) and time.monotonic() < began + patience + 5:
        if time.monotonic() > began + patience:
            for pid in left.values():
                kill_session(pid)
        time.sleep(0.1)
    return [name for name in names if name not in left], [*left]


def send(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process, unless it has just ended."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def kill_session(pid: int) -> None:
    """Kill what is left of the session that this process started."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass  # the usual case: all of it has ended


def _running(started: Mapping[str, tuple[int, str]]) -> dict[str, int]:
    return {name: pid for name, (pid, start) in started.items() if start and start_of(pid) == start}


def _ps(field: str, pid: int) -> str:
    """Return a field of `ps`, for systems without /proc."""
    command = ["ps", "-o", field, "-p", str(pid)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def run_apart(command: list[str], *, cwd: str | None = None) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end in a session of its own, so that Ctrl-C in the terminal does not reach it.

    A signal to our own group may still strike the child in the moment before it has its session. It has done nothing by
    then and is started again; the launcher learns of the signal where it waits.
    """
    while True:
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, start_new_session=True)
        if -done.returncode not in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            return done
