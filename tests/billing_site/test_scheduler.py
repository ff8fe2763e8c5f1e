"""Signals end beat in order at any moment; during its start, when that is done. When tasks are due."""

import io
import os
import signal
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from celery.beat import Service
from celery.signals import beat_init
from django.conf import settings
from django.db import OperationalError, connection
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask
from django_celery_beat.schedulers import ModelEntry

from billing_site import outages, scheduler
from billing_site.celery import Poke, app
from billing_site.scheduler import Scheduler, postponed


@pytest.fixture
def came():
    """The signals that were handled, in order."""
    handled = []
    handlers = {
        number: signal.signal(number, lambda number, _frame: handled.append(number))
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    yield handled
    for number, handler in handlers.items():
        signal.signal(number, handler)


# The library closes old connections, as it may between transactions.
@pytest.mark.django_db(transaction=True)
def test_a_signal_within_the_start_is_handled_after_it(came, monkeypatch):
    written, add = [], ModelEntry.from_entry

    def signalled(name, **fields):
        os.kill(os.getpid(), signal.SIGTERM)
        written.append((name, list(came)))
        return add(name, **fields)

    monkeypatch.setattr(ModelEntry, "from_entry", signalled)

    Scheduler(app=app)

    names = set(settings.CELERY_BEAT_SCHEDULE)
    assert names <= {name for name, _handled in written}
    assert all(handled == [] for _name, handled in written)
    assert came == [signal.SIGTERM]
    assert names <= set(PeriodicTask.objects.values_list("name", flat=True))


def test_each_signal_is_handled_once_and_the_handlers_are_as_before(came):
    with postponed(signal.SIGTERM, signal.SIGINT):
        for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGINT):
            os.kill(os.getpid(), number)
        assert came == []
    assert sorted(came) == [signal.SIGINT, signal.SIGTERM]

    os.kill(os.getpid(), signal.SIGTERM)

    assert came[2:] == [signal.SIGTERM]


@pytest.mark.django_db(transaction=True)
def test_after_a_signal_in_the_middle_of_a_statement_nothing_is_asked_through_its_connection():
    scheduler = Scheduler(app=app, lazy=True)
    scheduler._dirty = {"bill-due"}
    asked: list[str] = []

    def interrupted(execute, sql, params, many, context):
        asked.append(sql)
        scheduler.stop(signal.SIGTERM, None)

    with connection.execute_wrapper(interrupted):
        with pytest.raises(SystemExit):
            scheduler.is_reachable()
        scheduler.sync()
    assert asked == ["SELECT 1"]


@pytest.fixture
def beat(came):
    """A service of beat whose scheduler has a task to send, and whose start has come to its first tick."""
    app.loader.import_default_modules()
    service = Service(cast(Any, app), scheduler_cls=Scheduler)
    beat_init.send(sender=service)
    return service


def sent_tasks(monkeypatch, takes=lambda task: True) -> list[str]:
    """Return the names of the tasks that the broker takes, which are collected from now on."""
    sent: list[str] = []

    def send(self, *args, **kwargs):
        if not takes(self.name):
            return None
        sent.append(self.name)
        return SimpleNamespace(id="1")

    monkeypatch.setattr(Scheduler, "producer", None)
    monkeypatch.setattr(Poke, "apply_async", send)
    return sent


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.django_db(transaction=True)
def test_a_signal_while_the_broker_is_read_ends_beat_and_the_task_is_sent_again(beat, monkeypatch):
    stream = io.BytesIO()
    monkeypatch.setattr(Scheduler, "producer", None)
    beat.scheduler.__dict__["connection"] = SimpleNamespace(
        release=stream.close, connection_errors=(), channel_errors=()
    )

    def read(*args, **kwargs):
        try:
            interrupt()
        finally:
            # As redis-py does. It fails if the signal has closed the connection.
            stream.seek(0)

    monkeypatch.setattr(Poke, "apply_async", read)
    beat.start()
    assert stream.closed
    assert not PeriodicTask.objects.filter(last_run_at__isnull=False).exists()


@pytest.mark.django_db(transaction=True)
def test_a_signal_that_got_lost_in_a_destructor_ends_beat_at_the_next_tick(beat):
    with suppress(SystemExit):
        interrupt()
    with pytest.raises(SystemExit):
        beat.scheduler.tick()


@pytest.mark.django_db(transaction=True)
def test_runs_of_tasks_are_written_when_a_signal_ends_beat(beat, monkeypatch):
    sent = sent_tasks(monkeypatch)
    monkeypatch.setattr(Scheduler, "show_life", lambda self: interrupt() if len(sent) == 3 else None)
    beat.start()
    written = PeriodicTask.objects.filter(last_run_at__isnull=False).values_list("task", flat=True)
    assert sorted(written) == sorted(sent)


@pytest.mark.django_db(transaction=True)
def test_a_nightly_task_that_the_broker_does_not_take_is_sent_when_it_does(beat, monkeypatch):
    nightly, is_down = "billing_site.tasks.check_ledger", True
    sent = sent_tasks(monkeypatch, takes=lambda task: task != nightly or not is_down)
    monkeypatch.setattr(scheduler, "TRY_AGAIN_AFTER", 0.0)

    def tick_all():
        for _ in range(2 * len(settings.CELERY_BEAT_SCHEDULE) + 2):
            beat.scheduler.tick()

    tick_all()
    beat.scheduler.sync()
    assert nightly not in sent
    assert PeriodicTask.objects.get(task=nightly).last_run_at is None

    is_down = False
    tick_all()
    beat.scheduler.sync()
    assert sent.count(nightly) == 1
    assert PeriodicTask.objects.get(task=nightly).last_run_at is not None
    # Those that were sent before it are not sent again with it.
    assert sent.count("events.tasks.forget_mails") == 1


@pytest.fixture
def lost():
    """Make every statement but the question whether the database answers fail, as when it has just gone away."""

    def fail(execute, sql, params, many, context):
        if sql == "SELECT 1":
            return execute(sql, params, many, context)
        raise OperationalError("server closed the connection unexpectedly")

    with connection.execute_wrapper(fail):
        yield


@pytest.fixture
def outage(monkeypatch):
    """An outage of the database that has not begun."""
    outage = outages.Outage("database")
    monkeypatch.setattr(outages, "database", outage)
    return outage


@pytest.mark.django_db(transaction=True)
def test_a_database_lost_while_it_is_asked_for_changes_is_one_outage_and_no_traceback(request, outage, caplog):
    scheduler = Scheduler(app=app, lazy=True)
    request.getfixturevalue("lost")
    assert not scheduler.schedule_changed()
    assert not scheduler.schedule_changed()
    assert outage.well.take() is None
    assert [record for record in caplog.records if record.exc_info] == []


@pytest.mark.django_db(transaction=True)
def test_a_last_run_that_could_not_be_written_is_written_later(request, outage, caplog):
    scheduler = Scheduler(app=app)
    scheduler._dirty = {"bill-due"}
    request.getfixturevalue("lost")
    scheduler.sync()
    assert scheduler._dirty == {"bill-due"}
    assert outage.well.take() is None
    assert [record for record in caplog.records if record.exc_info] == []
    scheduler._dirty = set()


@pytest.mark.django_db(transaction=True)
def test_the_last_run_of_a_task_that_was_removed_is_dropped():
    scheduler = Scheduler(app=app)
    scheduler._dirty = {"bill-due", "removed"}
    PeriodicTask.objects.filter(name="bill-due").delete()
    scheduler.sync()
    assert scheduler._dirty == set()


@pytest.mark.django_db(transaction=True)
def test_a_change_of_the_schedule_is_seen_once():
    scheduler = Scheduler(app=app)
    scheduler.schedule_changed()
    assert not scheduler.schedule_changed()
    PeriodicTask.objects.get(name="bill-due").save()
    assert scheduler.schedule_changed()
    assert not scheduler.schedule_changed()


def entry(every: timedelta, last_run_at: datetime | None) -> scheduler.Entry:
    interval = IntervalSchedule(every=every.total_seconds(), period=IntervalSchedule.SECONDS)
    task = PeriodicTask(name="t", task="t", interval=interval, last_run_at=last_run_at, date_changed=datetime.now(UTC))
    return scheduler.Entry(task, app=app)


def test_a_task_that_has_never_run_is_due_at_once_however_often_beat_is_started():
    assert entry(timedelta(days=1), None).is_due().is_due
    assert not entry(timedelta(days=1), datetime.now(UTC) - timedelta(hours=1)).is_due().is_due


def test_a_nightly_task_that_has_never_run_is_due_at_once():
    night = CrontabSchedule(minute="30", hour="3")
    task = PeriodicTask(name="t", task="t", crontab=night, date_changed=datetime.now(UTC))
    assert scheduler.Entry(task, app=app).is_due().is_due


def test_a_clock_that_was_ahead_stops_no_task():
    due = entry(timedelta(minutes=1), datetime.now(UTC) + timedelta(days=30)).is_due()
    assert not due.is_due
    assert 0 < due.next <= 60


@pytest.mark.django_db(transaction=True)
def test_what_a_night_has_missed_stays_in_the_schedule_at_all_hours():
    other_hour = (datetime.now(UTC) + timedelta(hours=12)).hour
    night = CrontabSchedule.objects.create(minute="30", hour=str(other_hour), timezone="UTC")
    PeriodicTask.objects.create(name="nightly", task="t", crontab=night)
    assert "nightly" in Scheduler(app=app, lazy=True).all_as_schedule()
