"""How the periodic tasks run: one row a task (core.models.TaskRun), written by the worker after each run.

Probes, metrics and the doctor read it. A worker that is killed writes nothing, so the age of the last run grows.
"""

import time
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog
from celery import Task
from celery.schedules import crontab
from django.db import DatabaseError, connection
from django_celery_beat.models import PeriodicTask

from billing_site.celery import app
from billing_site.redaction import said
from core.models import TaskRun

log = structlog.get_logger(__name__)

# Tasks that a scheduled one starts, one for each gateway. Their rows are kept too; they run only if something is due.
STARTED_BY_OTHERS = (
    "payments.tasks.process_gateway_webhooks", "payments.tasks.reconcile_gateway", "payments.tasks.compare_gateway",
)  # fmt: skip
# A task is late if its last run without an error is older than three intervals, but at least this old.
PATIENCE = timedelta(minutes=3)
MISSED = 3

UPSERT = """
    INSERT INTO core_taskrun AS run (task, finished_at, succeeded_at, seconds, total_seconds, runs, failures, error)
    VALUES (%(task)s, statement_timestamp(), CASE WHEN %(error)s = '' THEN statement_timestamp() END,
            %(seconds)s, %(seconds)s, 1, CASE WHEN %(error)s = '' THEN 0 ELSE 1 END, %(error)s)
    ON CONFLICT (task) DO UPDATE SET
        finished_at = excluded.finished_at, succeeded_at = coalesce(excluded.succeeded_at, run.succeeded_at),
        seconds = excluded.seconds, total_seconds = run.total_seconds + excluded.seconds, runs = run.runs + 1,
        failures = run.failures + excluded.failures, error = excluded.error
"""
# When the tasks of this process began, by their ids, on time.monotonic's clock.
_began: dict[str, float] = {}


class TaskState(NamedTuple):
    """A task and its last run. Times are ages in seconds; None: never.

    `every` is the seconds between two runs, 0 for a task that runs only when there is something to do or is disabled.
    """

    task: str
    queue: str
    every: int
    succeeded_ago: float | None
    finished_ago: float | None
    seconds: float
    total_seconds: float
    runs: int
    failures: int
    error: str

    @property
    def is_late(self) -> bool:
        """Whether runs without an error are missing. One that has never run may be that of a new installation."""
        most = max(PATIENCE.total_seconds(), MISSED * self.every)
        if self.succeeded_ago is None:
            return self.every > 0 and self.runs >= MISSED
        return self.every > 0 and self.succeeded_ago > most


def begin(task_id: str) -> None:
    """Note that a task begins."""
    _began[task_id] = time.monotonic()


def end(task_id: str, task: Task, error: BaseException | None) -> None:
    """Write the row of a task that has ended. Without a database nothing is written: then tasks fail anyway."""
    began = _began.pop(task_id, None)
    if began is not None and task.name in {*scheduled(), *STARTED_BY_OTHERS}:
        record(task.name, seconds=time.monotonic() - began, error=error)


def record(task: str, *, seconds: float, error: BaseException | None = None) -> None:
    """Write that a run of this task has ended just now, and took so many seconds."""
    text = "" if error is None else said(error)[:300].replace("\x00", "")
    try:
        with connection.cursor() as cursor:
            cursor.execute(UPSERT, {"task": task, "seconds": seconds, "error": text})
    except DatabaseError as failure:
        log.debug("task_run_not_written", task=task, error=type(failure).__name__)


def scheduled() -> dict[str, int]:
    """Return the tasks of the schedule in the settings, and the seconds between two runs of each."""
    return {str(entry["task"]): _seconds(entry["schedule"]) for entry in app.conf.beat_schedule.values()}


def planned() -> dict[str, int]:
    """Return the same as superusers have changed it in the admin: 0 for a task that they have disabled."""
    every = scheduled()
    for row in PeriodicTask.objects.filter(task__in=every).select_related("interval"):
        if not row.enabled:
            every[row.task] = 0
        elif row.interval is not None:
            every[row.task] = int(row.interval.schedule.run_every.total_seconds())
    return every


def states(*, now: datetime) -> list[TaskState]:
    """Return the state of each scheduled task at `now`, the database's time, and of those that other ones start."""
    rows = {row.task: row for row in TaskRun.objects.all()}
    every = planned() | {task: 0 for task in STARTED_BY_OTHERS if task in rows}
    return [_state(task, seconds, rows.get(task), now) for task, seconds in sorted(every.items())]


def queue_of(task: str) -> str:
    """Return the queue into which a task is sent."""
    return str(app.amqp.router.route({}, task)["queue"].name)


def _state(task: str, every: int, row: TaskRun | None, now: datetime) -> TaskState:
    if row is None:
        return TaskState(task, queue_of(task), every, None, None, 0.0, 0.0, 0, 0, "")
    return TaskState(
        task, queue_of(task), every, _ago(row.succeeded_at, now), _ago(row.finished_at, now), row.seconds,
        row.total_seconds, row.runs, row.failures, row.error,
    )  # fmt: skip


def _ago(at: datetime | None, now: datetime) -> float | None:
    return None if at is None else max(0.0, (now - at).total_seconds())


def _seconds(schedule: timedelta | crontab) -> int:
    """Return the seconds between two runs. Of the schedules at a time of day all are daily."""
    return int(schedule.total_seconds()) if isinstance(schedule, timedelta) else 86400
