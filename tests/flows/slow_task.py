"""A task that takes too long, for a worker started with `--include tests.flows.slow_task`."""

import os
import time
from pathlib import Path

from celery import shared_task
from celery.exceptions import SoftTimeLimitExceeded

NAME = "tests.sleep"


@shared_task(name=NAME)
def sleep(file: str) -> None:
    """Write the number of this process to a file, then sleep for an hour and ignore the soft time limit."""
    Path(file).write_text(str(os.getpid()))
    try:
        time.sleep(3600)
    except SoftTimeLimitExceeded:
        time.sleep(3600)
