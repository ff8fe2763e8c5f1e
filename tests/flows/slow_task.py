"""A task that takes too long, for a worker started with `--include tests.flows.slow_task`. No test lives here."""

import os
import time
from pathlib import Path

from celery import shared_task
from celery.exceptions import SoftTimeLimitExceeded

NAME = "tests.sleep"


@shared_task(name=NAME)
def sleep(file: str) -> None:
    """Write the number of this process to a file, and sleep for an hour, whatever the soft limit says."""
    Path(file).write_text(str(os.getpid()))
    try:
        time.sleep(3600)
    except SoftTimeLimitExceeded:
        time.sleep(3600)
