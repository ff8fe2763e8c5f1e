"""What worker and scheduler do besides their tasks: refuse an unsafe start, log as all do, and tell that they live."""

import gc
from datetime import UTC, datetime
from typing import Any

from celery.signals import setup_logging, task_success, worker_process_init, worker_ready

from billing_site import checks, health
from billing_site.celery import app

BILL_DUE = "subscriptions.tasks.bill_due"


@setup_logging.connect
def start(**kwargs: Any) -> None:
    """Refuse to start where production is not safe.

    The first signal that both worker and scheduler send, before either touches database or broker. Being connected
    to it also keeps the logging that Django has set up.
    """
    checks.refuse_to_start_unsafe()


@worker_process_init.connect
def spare_the_garbage_collector(**kwargs: Any) -> None:
    """Let the garbage collector look at fewer objects, and less often. Also called by the bench.

    A batch is thousands of small objects without a cycle among them. By default the collector looks at them again and
    again and frees nothing, which takes half of the time that Python needs.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


@worker_ready.connect
def bill_at_once(**kwargs: Any) -> None:
    """Catch up as soon as there is a worker again, without waiting for the next poke."""
    app.send_task(BILL_DUE)


@task_success.connect
def note_billing_run(sender: Any = None, **kwargs: Any) -> None:
    """Let /readyz know that billing runs."""
    if getattr(sender, "name", "") == BILL_DUE:
        health.tick_finished(now=datetime.now(UTC))
