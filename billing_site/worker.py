"""Celery signal handlers: refuse an unsafe start, tune the garbage collector, bill at once, and note billing runs."""

import gc
from datetime import UTC, datetime
from typing import Any

from celery.signals import heartbeat_sent, setup_logging, task_success, worker_process_init, worker_ready

from billing_site import checks, health, probe
from billing_site.celery import app

BILL_DUE = "subscriptions.tasks.bill_due"


@setup_logging.connect
def start(**kwargs: Any) -> None:
    """Refuse to start with unsafe production settings.

    This is the first signal that both worker and scheduler send, before they use database or broker. A receiver also
    keeps Celery from replacing the logging that Django has set up.
    """
    checks.refuse_to_start_unsafe()


@worker_process_init.connect
def spare_the_garbage_collector(**kwargs: Any) -> None:
    """Make the garbage collector run less often and skip the objects of start-up. The bench calls this too.

    A batch is thousands of small objects without reference cycles. With the defaults the collector scans them again
    and again and frees nothing, which takes half of Python's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


@heartbeat_sent.connect
def alive(sender: Any = None, **kwargs: Any) -> None:
    """Note that the worker's main loop turns, every two seconds."""
    probe.alive(sender.eventer.hostname.partition("@")[0])


@worker_ready.connect
def bill_at_once(**kwargs: Any) -> None:
    """Start a billing run as soon as a worker is up, without waiting for the scheduler."""
    app.send_task(BILL_DUE)


@task_success.connect
def note_billing_run(sender: Any = None, **kwargs: Any) -> None:
    """Record a finished billing run for /readyz."""
    if getattr(sender, "name", "") == BILL_DUE:
        health.tick_finished(now=datetime.now(UTC))
