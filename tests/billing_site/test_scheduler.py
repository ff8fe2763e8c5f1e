"""A signal to beat while it writes its schedule waits until that is done."""

import os
import signal

import pytest
from django.conf import settings
from django.db import connection
from django_celery_beat.models import PeriodicTask
from django_celery_beat.schedulers import ModelEntry

from billing_site.celery import app
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
def test_a_signal_in_the_middle_of_a_statement_does_not_wait_for_itself():
    scheduler = Scheduler(app=app, lazy=True)
    scheduler._dirty = {"bill-due"}
    asked: list[str] = []

    def interrupted(execute, sql, params, many, context):
        asked.append(sql)
        # What beat's handler of SIGTERM does.
        scheduler.sync()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(interrupted):
        assert scheduler.is_reachable()
    assert asked == ["SELECT 1"]
    assert not scheduler.is_reachable()
    scheduler._dirty = set()
