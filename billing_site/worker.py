"""Celery signal handlers: refuse an unsafe start, tune the garbage collector, bill at once, note how tasks run."""

from typing import Any

import structlog
from celery.signals import (
    heartbeat_sent,
    setup_logging,
    task_postrun,
    task_prerun,
    worker_process_init,
    worker_ready,
)
from django.dispatch import receiver
from django_structlog.celery.signals import bind_extra_task_metadata

from billing_site import checks, garbage_collector, probe, task_runs
from billing_site.celery import app
from core.database import patience

BILL_DUE = "subscriptions.tasks.bill_due"


@setup_logging.connect
def start(**kwargs: Any) -> None:
    """Refuse to start with unsafe production settings, and limit how long the database is waited for.

    This is the first signal that both worker and scheduler send, before they use database or broker. A receiver also
    keeps Celery from replacing the logging that Django has set up.
    """
    checks.refuse_to_start_unsafe()
    patience.limit_process()


@worker_process_init.connect
def begin_process(**kwargs: Any) -> None:
    """Tune a new process for batches."""
    garbage_collector.spare()


@heartbeat_sent.connect
def alive(sender: Any = None, **kwargs: Any) -> None:
    """Note that the worker's main loop turns, every two seconds."""
    probe.alive(sender.eventer.hostname.partition("@")[0])


@worker_ready.connect
def bill_at_once(**kwargs: Any) -> None:
    """Start a billing run as soon as a worker is up, without waiting for the scheduler."""
    app.send_task(BILL_DUE)


@receiver(bind_extra_task_metadata)
def name_task(task: Any = None, **kwargs: Any) -> None:
    """Name the task in all log lines that it writes."""
    structlog.contextvars.bind_contextvars(task=task.name)


@task_prerun.connect
def begin_run(task_id: str = "", **kwargs: Any) -> None:
    """Note when a task begins."""
    task_runs.begin(task_id)


@task_postrun.connect
def end_run(task_id: str = "", task: Any = None, retval: Any = None, state: str = "", **kwargs: Any) -> None:
    """Write how a periodic task ended. `retval` is the exception of one that failed."""
    task_runs.end(task_id, task, retval if isinstance(retval, BaseException) and state != "SUCCESS" else None)
