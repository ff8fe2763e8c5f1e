"""The row that a worker writes after each run of a periodic task."""

from datetime import timedelta
from typing import Any

import pytest
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from accounts import cleanup, tasks
from billing_site import task_runs
from billing_site.celery import app
from core import clock
from core.models import TaskRun
from payments import tasks as payment_tasks

pytestmark = pytest.mark.django_db
BILL_DUE = "subscriptions.tasks.bill_due"


@pytest.fixture(autouse=True)
def _tasks():
    app.loader.import_default_modules()


def test_the_first_run_makes_the_row_and_the_next_one_adds_to_it():
    before = clock.now()
    task_runs.record(BILL_DUE, seconds=2.0)
    task_runs.record(BILL_DUE, seconds=3.0)
    row = TaskRun.objects.get()
    assert (row.task, row.seconds, row.total_seconds, row.runs, row.failures) == (BILL_DUE, 3.0, 5.0, 2, 0)
    assert row.error == ""
    assert row.succeeded_at == row.finished_at
    assert row.finished_at > before


def test_a_run_with_an_error_keeps_the_time_of_the_last_one_without():
    task_runs.record(BILL_DUE, seconds=2.0)
    good = TaskRun.objects.get()
    task_runs.record(BILL_DUE, seconds=3.0, error=ValueError("broken\x00 by sk_live_51H8xYzCanaryCanary"))
    row = TaskRun.objects.get()
    assert row.succeeded_at == good.succeeded_at
    assert row.finished_at > good.finished_at
    assert (row.runs, row.failures, row.error) == (2, 1, "ValueError: broken by [redacted]")


def test_a_worker_writes_the_row_of_a_task_that_ran():
    tasks.clean.apply()
    row = TaskRun.objects.get(task="accounts.tasks.clean")
    assert (row.runs, row.failures) == (1, 0)
    assert row.seconds >= 0


def test_a_worker_writes_the_row_of_a_task_that_failed(monkeypatch):
    def fails(**_named: Any) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(cleanup, "clean", fails)
    tasks.clean.apply()
    row = TaskRun.objects.get(task="accounts.tasks.clean")
    assert (row.runs, row.failures, row.error, row.succeeded_at) == (1, 1, "RuntimeError: no", None)


def test_a_task_that_is_not_periodic_has_no_row():
    payment_tasks.process_webhook.apply(args=(0,))
    assert not TaskRun.objects.exists()


def state() -> task_runs.TaskState:
    return {each.task: each for each in task_runs.states(now=clock.now())}[BILL_DUE]


def test_a_task_that_never_ran_is_not_late():
    assert (state().succeeded_ago, state().is_late, state().every, state().queue) == (None, False, 60, "billing")


def test_a_task_that_never_succeeded_is_late_after_three_runs():
    for runs in range(1, 4):
        task_runs.record(BILL_DUE, seconds=1.0, error=ValueError("x"))
        assert state().is_late is (runs == 3)


# Three runs, a minute apart, may be missed.
@pytest.mark.parametrize(("seconds", "is_late"), [(170, False), (190, True)])
def test_a_task_is_late_when_three_runs_are_missing(seconds, is_late):
    task_runs.record(BILL_DUE, seconds=1.0)
    TaskRun.objects.update(succeeded_at=clock.now() - timedelta(seconds=seconds))
    assert state().is_late is is_late


def test_a_task_that_superusers_made_rarer_or_disabled_is_not_late():
    task_runs.record(BILL_DUE, seconds=1.0)
    TaskRun.objects.update(succeeded_at=clock.now() - timedelta(minutes=10))
    every = IntervalSchedule.objects.create(every=1, period=IntervalSchedule.HOURS)
    row = PeriodicTask.objects.create(name="bill-due", task=BILL_DUE, interval=every)
    assert (state().every, state().is_late) == (3600, False)
    row.enabled = False
    row.save()
    assert (state().every, state().is_late) == (0, False)


def test_tasks_for_one_gateway_are_shown_once_they_ran():
    name = "payments.tasks.reconcile_gateway"
    assert name not in {each.task for each in task_runs.states(now=clock.now())}
    task_runs.record(name, seconds=1.0)
    assert {each.task: each.every for each in task_runs.states(now=clock.now())}[name] == 0
