"""The scheduler's tables in the admin: changed and deleted with a reason, and no task goes with its schedule."""

import pytest
from django.test import Client
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from accounts.models import User
from events.models import StaffAct
from tests.web import hidden

pytestmark = pytest.mark.django_db
BEAT = "/admin/django_celery_beat"


@pytest.fixture
def boss(client: Client, superuser: User) -> Client:
    client.force_login(superuser)
    return client


@pytest.fixture
def every() -> IntervalSchedule:
    return IntervalSchedule.objects.create(every=7, period="hours")


@pytest.fixture
def task(every: IntervalSchedule) -> PeriodicTask:
    return PeriodicTask.objects.create(name="report", task="billing_site.tasks.check_ledger", interval=every)


def delete(boss: Client, page: str) -> str:
    """Delete a row with a reason and return the page that answers."""
    sent = {"reason": "Not needed"}
    reviewed = boss.post(page, sent | hidden(boss.get(page)))
    return boss.post(page, sent | hidden(reviewed) | {"confirmed": "1"}, follow=True).content.decode()


def test_a_schedule_changes_with_a_reason(boss: Client, every: IntervalSchedule):
    page = f"{BEAT}/intervalschedule/{every.pk}/change/"
    assert boss.post(page, {"every": "8", "period": "hours"}).status_code == 200
    boss.post(page, {"every": "8", "period": "hours", "reason": "Too often"})
    every.refresh_from_db()
    act = StaffAct.objects.get()
    assert (every.every, act.kind, act.reason) == (8, "intervalschedule.change", "Too often")


def test_times_of_crontabs_are_in_24_hours(boss: Client):
    at_night = CrontabSchedule.objects.create(minute="20", hour="0")
    for page in ("", f"{at_night.pk}/change/"):
        text = boss.get(f"/admin/django_celery_beat/crontabschedule/{page}").content.decode()
        assert "20 0 * * *" in text
        assert "12:20" not in text


def test_a_task_changes_with_a_reason(boss: Client, task: PeriodicTask):
    page = f"{BEAT}/periodictask/{task.pk}/change/"
    form = boss.get(page).context["adminform"].form
    sent = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    sent = {name: value for name, value in sent.items() if value not in (None, False)}
    sent |= {"name": "weekly report", "start_time_0": "", "start_time_1": "", "expires_0": "", "expires_1": ""}
    assert boss.post(page, sent).status_code == 200
    assert boss.post(page, sent | {"reason": "Clearer"}).status_code == 302
    task.refresh_from_db()
    assert (task.name, StaffAct.objects.get().reason) == ("weekly report", "Clearer")


def test_a_task_is_deleted_with_a_reason_and_its_schedule_only_after_it(
    boss: Client, every: IntervalSchedule, task: PeriodicTask
):
    schedule = f"{BEAT}/intervalschedule/{every.pk}/delete/"
    assert "These tasks run by it: report." in boss.get(schedule).content.decode()
    delete(boss, schedule)
    assert IntervalSchedule.objects.filter(pk=every.pk).exists()
    delete(boss, f"{BEAT}/periodictask/{task.pk}/delete/")
    assert not PeriodicTask.objects.filter(pk=task.pk).exists()
    delete(boss, schedule)
    assert not IntervalSchedule.objects.filter(pk=every.pk).exists()
    assert list(StaffAct.objects.order_by("id").values_list("kind", "reason")) == [
        ("periodictask.delete", "Not needed"), ("intervalschedule.delete", "Not needed"),
    ]  # fmt: skip
