"""The folder in which gunicorn's workers add up their requests: prometheus_client's multi-process mode.

gunicorn's configuration imports this module, so it uses neither Django nor prometheus_client, which reads the variable
when it is imported.
"""

import os
import shutil
import tempfile
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
# Memory instead of a disk where there is one; containers have it even if their files are read-only.
MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of its own is made in it


def memory() -> Path | None:
    """Return the folder in memory, None if nothing can be made in it: it is missing, full or read-only."""
    try:
        with tempfile.TemporaryFile(dir=MEMORY):
            return MEMORY
    except OSError:
        return None


def prepare() -> Path | None:
    """Make an empty folder for the workers of this server, name it in the environment, and return it.

    A reload of the configuration finds the folder and keeps it, and so do the counts. Return None if none can be made:
    each worker counts by itself then, and /metrics has the requests of the one that answers.
    """
    if VARIABLE not in os.environ:
        try:
            os.environ[VARIABLE] = tempfile.mkdtemp(prefix="billing-metrics-", dir=memory())
        except OSError as error:
            log.warning("requests_counted_apart", error=type(error).__name__)
            return None
    made = Path(os.environ[VARIABLE])
    made.mkdir(parents=True, exist_ok=True)
    return made


def folder() -> Path | None:
    """Return the folder, which is made again if somebody removed it; None if this process counts by itself."""
    return prepare() if VARIABLE in os.environ else None


def remove() -> None:
    """Remove the folder when the server stops."""
    used = os.environ.pop(VARIABLE, None)
    if used:
        shutil.rmtree(used, ignore_errors=True)
