"""The worker of a local run has processes, as in production, so that time limits of tasks hold."""

from functools import partial
from pathlib import Path

import pytest

from billing_site.celery import app
from billing_site.local import processes, run
from tests.flows import slow_task
from tests.flows.site import Site, wait_for

pytestmark = [pytest.mark.broker, pytest.mark.timeout(200)]


def process_of(file: Path) -> int:
    """Wait until the task has begun and return its process number."""
    return int(wait_for(lambda: file.exists() and file.read_text(), "the task to begin"))


def has_ended(pid: int) -> bool:
    return not processes.is_alive(pid)


def test_a_task_over_its_time_limit_is_killed_and_the_next_one_runs(site: Site, tmp_path: Path):
    site.start("worker", [*run.commands()["worker"], "--include", slow_task.__name__])
    for turn in ("first", "second"):
        file = tmp_path / turn
        app.send_task(slow_task.NAME, args=[str(file)], soft_time_limit=1, time_limit=2)
        wait_for(partial(has_ended, process_of(file)), "the task to be ended")
    assert "Hard time limit (2s) exceeded" in site.log("worker")
    assert site.running["worker"].poll() is None
