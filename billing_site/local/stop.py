"""`make stop`: end what `make run` started, also when that was killed and left children or a PostgreSQL behind."""

import fcntl
import os
import signal
import sys
import time

from billing_site.local import leftovers, postgres
from billing_site.local.places import VAR
from billing_site.local.run import LOCK, PATIENCE


def main() -> int:
    """Return 0 when nothing of ours runs any more."""
    if _is_held():
        os.kill(int(LOCK.read_text()), signal.SIGTERM)
        give_up = time.monotonic() + PATIENCE + postgres.PATIENCE
        while _is_held() and time.monotonic() < give_up:
            time.sleep(0.1)
    left = [f"{name}, left behind by a killed run, cannot be ended." for name in _end_leftovers()]
    servers = [name for name in ("postgres", "postgres-test") if not postgres.stop_unused(VAR / name)]
    left += [f"PostgreSQL in {VAR / name} is in use by another process." for name in servers]
    for line in left:
        print(line, file=sys.stderr)
    print("Still running." if left else "Nothing is running.")
    return 1 if left else 0


def _end_leftovers() -> list[str]:
    """End the children of a launcher that was killed, unless there is a new one. Return who would not."""
    try:
        lock = LOCK.open()
    except FileNotFoundError:
        return []
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return []
        ended, left = leftovers.end(patience=PATIENCE)
    if ended:
        print(f"Ended what a killed run had left behind: {', '.join(ended)}", flush=True)
    return left


def _is_held() -> bool:
    """Ask the lock, not the process list: a number in a file may be somebody else's by now."""
    try:
        with LOCK.open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


if __name__ == "__main__":
    sys.exit(main())
