"""The schedule, the worker's settings, and requests that send a task to a broker that is down."""

import gc
import inspect
import socket
import time
from datetime import timedelta

import pytest
from celery.signals import worker_process_init
from django.conf import settings
from kombu import Connection
from structlog.testing import capture_logs

from billing_site import outages, worker
from billing_site.celery import app


def test_every_scheduled_task_exists():
    app.loader.import_default_modules()
    assert {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()} <= set(app.tasks)


def test_every_task_without_arguments_is_scheduled():
    """A sweep that is not scheduled would never run."""
    app.loader.import_default_modules()
    sweeps = {
        name
        for name, task in app.tasks.items()
        if not name.startswith("celery.") and not inspect.signature(task.run).parameters
    }
    assert sweeps == {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}


def test_billing_runs_every_minute():
    entry = settings.CELERY_BEAT_SCHEDULE["bill-due"]
    assert entry["task"] == "subscriptions.tasks.bill_due"
    assert entry["schedule"] == timedelta(minutes=1)


def test_the_task_of_a_lost_worker_runs_again():
    assert app.conf.task_acks_late
    assert app.conf.task_reject_on_worker_lost
    assert app.conf.task_time_limit < 900, "the broker gives a task to another worker after 900 s"
    assert app.conf.accept_content == ["json"]


def test_a_worker_process_tunes_the_garbage_collector():
    assert worker.begin_process in [receiver() for _, receiver in worker_process_init.receivers]
    before = gc.get_threshold()
    try:
        worker.begin_process()
        assert gc.get_threshold()[0] == 50_000
        assert gc.get_freeze_count() > 10_000
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


@pytest.fixture
def silent_broker():
    """Return the URL of a broker that accepts connections and never answers, as a stopped process does."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}/0"


def test_sending_a_task_to_a_broker_that_is_down_is_quick_and_raises_nothing():
    assert seconds_to_send("redis://127.0.0.1:1/0") < 2


def test_sending_a_task_to_a_broker_that_hangs_takes_seconds_and_raises_nothing(silent_broker):
    assert seconds_to_send(silent_broker) < 10


def test_an_outage_of_the_broker_is_one_line_and_its_end_another(monkeypatch):
    monkeypatch.setattr(outages, "broker", outages.Outage("broker"))
    with capture_logs() as lines:
        for _ in range(3):
            seconds_to_send("redis://127.0.0.1:1/0")
        app.loader.import_default_modules()
        for _ in range(2):
            assert app.tasks["subscriptions.tasks.bill_due"].apply_async() is not None
    lines = [line for line in lines if "server" in line]
    assert [(line["event"], line["server"], line["log_level"]) for line in lines] == [
        ("server_unreachable", "broker", "error"), ("server_reachable_again", "broker", "warning"),
    ]  # fmt: skip
    assert "127.0.0.1:1" in lines[0]["cause"]


def seconds_to_send(broker: str) -> float:
    """Send a task to this broker, which cannot take it, and return how long that takes."""
    app.loader.import_default_modules()
    options = app.conf.broker_transport_options
    timeouts = {
        name: options.get(name, default) for name, default in (("socket_timeout", 2), ("socket_connect_timeout", 1))
    }
    began = time.monotonic()
    timeout = app.conf.broker_connection_timeout
    with Connection(broker, connect_timeout=timeout, transport_options=timeouts) as connection:
        # celery-types does not know `connection`.
        assert app.tasks["subscriptions.tasks.bill_due"].apply_async(connection=connection) is None  # type: ignore[call-arg]
    return time.monotonic() - began
