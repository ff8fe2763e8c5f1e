"""`make stop`: stop what `make run` started, also if it was killed and left children or servers behind."""

import fcntl
import signal
import sys
import time

from billing_site.local import children, lease, processes, servers
from billing_site.local.lease import ServerError
from billing_site.local.run import LOCK


def main() -> int:
    """Stop everything and say what was stopped. Return 1 if something still runs."""
    try:
        ended, left = _end_launcher()
        for server in servers.running():
            if reason := server.stop_unused():
                left.append(reason)
            else:
                ended.append(f"{server.title} in {server.data}")
    except PermissionError as error:
        print(children.unusable(error), file=sys.stderr)
        return 1
    except ServerError as error:
        print(error, file=sys.stderr)
        return 1
    if ended:
        print(f"Stopped {', '.join(ended)}.")
    for line in left:
        print(f"Still running: {line}", file=sys.stderr)
    if not ended and not left:
        print("Nothing was running.")
    return 1 if left else 0


def _end_launcher() -> tuple[list[str], list[str]]:
    """End the launcher, or the children of one that was killed. Return what was stopped and what still runs."""
    holder = _holder()
    if holder is None:
        return _end_former_children()
    pid, _ = holder
    processes.send(pid, signal.SIGTERM)
    give_up = time.monotonic() + children.PATIENCE + lease.PATIENCE
    while (still := _holder()) == holder and time.monotonic() < give_up:
        time.sleep(0.1)
    if still == holder:
        return [], [f"`make run` did not stop in time: {processes.describe(pid)}."]
    return [f"`make run` (process {pid})"], []


def _end_former_children() -> tuple[list[str], list[str]]:
    """End the children of a launcher that was killed, unless a new one has just started."""
    try:
        lock = LOCK.open("r+")
    except (FileNotFoundError, NotADirectoryError):
        return [], []
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return [], []
        lock.truncate(0)
        ended, left = children.end_recorded()
    return [f"{name} of a killed run" for name in ended], [f"{name} of a killed run." for name in left]


def _holder() -> tuple[int, str] | None:
    """Return the number and the start of the running launcher.

    Whoever holds the lock may be another `make stop`, and the file may be of a killed launcher, whose number belongs to
    another program by now. So both must be those of a process that runs.
    """
    try:
        with LOCK.open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except BlockingIOError:
        return processes.recorded_in(LOCK)
    return None


if __name__ == "__main__":
    sys.exit(main())
