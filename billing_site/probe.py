"""Health checks of containers: `python -m billing_site.probe web`, `beat`, or the first part of a worker's host name.

Each process answers for itself. Web must answer /livez. A worker and beat touch a file at each turn of their main loop,
and are alive while it is fresh: no database, broker or other process is asked. Exit code 0: alive, 1: not.
"""

import os
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from billing_site.environment import env

# Seconds without a turn after which a process is not alive. Beat's turns are up to 5 s apart, a worker's 2 s.
OLDEST = 60.0


def file_of(name: str) -> Path:
    """Return the file whose time of change is that of the last turn."""
    return Path(tempfile.gettempdir()) / f"billing-{name}.alive"


def alive(name: str) -> None:
    """Note a turn of the main loop. A full or read-only disk does not stop it."""
    try:
        os.close(os.open(file_of(name), os.O_CREAT | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
        os.utime(file_of(name), follow_symlinks=False)
    except OSError:
        pass


def problem(name: str, *, now: float) -> str:
    """Return why the process is not alive, empty if it is. `now` is in seconds since 1970."""
    if name == "web":
        return _web()
    try:
        age = now - file_of(name).stat().st_mtime
    except FileNotFoundError:
        return f"{name} has not begun"
    return f"{name} has stood still for {age:.0f} s" if age > OLDEST else ""


def _web() -> str:
    host = env.str("HOST", default="127.0.0.1")
    host = "127.0.0.1" if host == "0.0.0.0" else host  # noqa: S104
    url = f"http://{host}:{env.int('PORT', default=8000)}/livez"
    try:
        urllib.request.urlopen(url, timeout=3).close()
    except OSError as error:
        return f"{url}: {error}"
    return ""


if __name__ == "__main__":
    sys.exit(problem(sys.argv[1], now=time.time()) or 0)
