"""The scheduler's table, and what a broker that is down may do to a request: nothing."""

import gc
import inspect
import socket
import time
from datetime import timedelta

import pytest
from celery.signals import worker_process_init
from django.conf import settings
from kombu import Connection

from billing_site import worker
from billing_site.celery import app


def test_every_task_of_the_schedule_exists():
    app.loader.import_default_modules()
    assert {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()} <= set(app.tasks)


def test_every_task_that_needs_no_argument_is_poked():
    """A sweep that nobody starts is work that nobody does."""
    app.loader.import_default_modules()
    sweeps = {
        name
        for name, task in app.tasks.items()
        if not name.startswith("celery.") and not inspect.signature(task.run).parameters
    }
    assert sweeps == {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}


def test_billing_is_poked_every_minute():
    entry = settings.CELERY_BEAT_SCHEDULE["bill-due"]
    assert entry["task"] == "subscriptions.tasks.bill_due"
    assert entry["schedule"] == timedelta(minutes=1)


def test_a_lost_worker_gives_its_task_back():
    assert app.conf.task_acks_late
    assert app.conf.task_reject_on_worker_lost
    assert app.conf.task_time_limit < 900, "the broker hands a task to somebody else after 900 s"
    assert app.conf.accept_content == ["json"]


def test_a_worker_process_spares_the_garbage_collector():
    assert worker.spare_the_garbage_collector in [receiver() for _, receiver in worker_process_init.receivers]
    before = gc.get_threshold()
    try:
        worker.spare_the_garbage_collector()
        assert gc.get_threshold()[0] == 50_000
        assert gc.get_freeze_count() > 10_000
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


@pytest.fixture
def deaf():
    """A broker that takes the connection and never says a word, as a stopped process does."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}/0"


def test_a_poke_to_a_broker_that_is_down_breaks_nothing_and_is_quick():
    assert seconds_to_poke("redis://127.0.0.1:1/0") < 2


def test_a_poke_to_a_broker_that_hangs_breaks_nothing_and_is_not_waited_for(deaf):
    assert seconds_to_poke(deaf) < 10


def seconds_to_poke(broker: str) -> float:
    app.loader.import_default_modules()
    options = app.conf.broker_transport_options
    waits = {
        name: options.get(name, default) for name, default in (("socket_timeout", 2), ("socket_connect_timeout", 1))
    }
    began = time.monotonic()
    timeout = app.conf.broker_connection_timeout
    with Connection(broker, connect_timeout=timeout, transport_options=waits) as connection:
        # celery-types leaves `connection` out.
        assert app.tasks["subscriptions.tasks.bill_due"].apply_async(connection=connection) is None  # type: ignore[call-arg]
    return time.monotonic() - began
