"""The heartbeat that the scheduler writes for /statusz and the metrics."""

import pytest
from django.db import connection
from django_celery_beat.schedulers import DatabaseScheduler

from billing_site import scheduler, status
from billing_site.celery import app
from billing_site.scheduler import Scheduler
from core import clock
from core.models import Heartbeat


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
