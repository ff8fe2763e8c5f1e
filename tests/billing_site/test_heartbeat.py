"""The heartbeat that the scheduler writes for /statusz and the metrics."""

import os
import socket
from datetime import timedelta

import pytest
from django.db import connection
from django_celery_beat.schedulers import DatabaseScheduler

from billing_site import scheduler, status
from billing_site.celery import app
from billing_site.doctor import work
from billing_site.scheduler import Scheduler
from core import clock
from core.models import Heartbeat, SchedulerProcess


# The library closes old connections, as it may between transactions.
@pytest.mark.django_db(transaction=True)
def test_each_tick_of_the_scheduler_shows_life(monkeypatch):
    beat = Scheduler(app=app, lazy=True)
    monkeypatch.setattr(DatabaseScheduler, "tick", lambda self: 5.0)
    assert beat.tick() == 5.0
    first = Heartbeat.objects.get(name="beat").at
    beat.tick()
    assert Heartbeat.objects.get().at == first, "it is young, so it is not written again"
    beat.next_heartbeat = 0.0
    beat.tick()
    assert Heartbeat.objects.get().at > first
    age = status.beat_age(now=clock.now())
    assert age is not None
    assert not status.is_silent(age)


# The library closes old connections, as it may between transactions.
@pytest.mark.django_db(transaction=True)
def test_two_schedulers_are_told_and_one_that_was_replaced_is_not(monkeypatch):
    first, second = Scheduler(app=app, lazy=True), Scheduler(app=app, lazy=True)
    first.place, second.place = "here, pid 1", "there, pid 2"
    assert show_life(first) == ["here, pid 1"]
    # Perhaps the first one has ended: nothing tells that it has not.
    assert show_life(second) == ["there, pid 2"]
    assert [result.part for result in work.scheduler()] == ["scheduler"]
    assert show_life(first) == ["here, pid 1", "there, pid 2"]
    said = list(work.scheduler())
    assert [result.verdict for result in said] == ["ok", "warning"]
    assert said[1].says == "2 run at once: here, pid 1; there, pid 2"
    # The first one is stopped, and the second goes on.
    SchedulerProcess.objects.filter(place="here, pid 1").update(seen_at=clock.now() - timedelta(seconds=61))
    assert show_life(second) == ["there, pid 2"]
    SchedulerProcess.objects.filter(place="here, pid 1").update(seen_at=clock.now() - timedelta(days=2))
    show_life(second)
    assert SchedulerProcess.objects.count() == 1


def show_life(beat: Scheduler) -> list[str]:
    """Let the scheduler show that it lives, and return which ones run."""
    beat.next_heartbeat = 0.0
    beat.show_life()
    return status.schedulers(now=clock.now())


def test_a_scheduler_names_its_machine_and_its_process(db):
    assert Scheduler(app=app, lazy=True).place == f"{socket.gethostname()}, pid {os.getpid()}"


@pytest.mark.parametrize(("age", "is_silent"), [(None, True), (59.0, False), (61.0, True)])
def test_a_scheduler_is_silent_after_a_minute(age, is_silent):
    assert status.is_silent(age) is is_silent


@pytest.mark.django_db(transaction=True)
def test_without_a_database_the_scheduler_goes_on(monkeypatch):
    beat = Scheduler(app=app, lazy=True)
    broken = connection.copy()
    broken.settings_dict["OPTIONS"] = {"host": "/nowhere", "connect_timeout": 1}
    monkeypatch.setattr(scheduler, "connection", broken)
    beat.show_life()
    assert not beat.is_reachable(), "it is not asked again at once"
    monkeypatch.setattr(scheduler, "connection", connection)
    assert not Heartbeat.objects.exists()
