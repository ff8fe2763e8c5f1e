"""`make stop`: end what `make run` started, and a PostgreSQL that a killed process left behind."""

import fcntl
import os
import signal
import sys
import time

from billing_site.local import postgres
from billing_site.local.places import VAR
from billing_site.local.run import LOCK, PATIENCE


def main() -> int:
    """Return 0 when nothing of ours runs any more."""
    if _is_held():
        os.kill(int(LOCK.read_text()), signal.SIGTERM)
        give_up = time.monotonic() + PATIENCE + postgres.PATIENCE
        while _is_held() and time.monotonic() < give_up:
            time.sleep(0.1)
    left = [name for name in ("postgres", "postgres-test") if not postgres.stop_unused(VAR / name)]
    for name in left:
        print(f"PostgreSQL in {VAR / name} is in use by another process.", file=sys.stderr)
    print("Still running." if left else "Nothing is running.")
    return 1 if left else 0


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
