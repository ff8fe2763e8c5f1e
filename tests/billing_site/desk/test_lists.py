"""Every list and page of the admin: how many queries it takes, and which."""

from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection, models
from django.http import HttpRequest
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from core.lists import LAST_PAGE, LimitedList
from core.models import LedgerCheck, TaskRun
from events.models import Event, Mail, StaffAct
from payments.models import Payment
from subscriptions.models import Subscription
from tests.billing_site import policy
from tests.billing_site.desk import rows

MOST = 12
TABLES = [apps.get_model(table[::-1].replace("_", ".", 1)[::-1]) for table in policy.TABLES]


@pytest.fixture
def boss(client, superuser):
    client.force_login(superuser)
    return client


def label(model: Any) -> str:
    return str(model._meta.label_lower)


def queries(client: Any, url: str) -> list[str]:
    """Open the page and return the statements that it takes, those of the session and the user included."""
    with CaptureQueriesContext(
        connection,
    ) as seen:
        response = client.get(url)
    assert response.status_code == 200, response.headers.get("location")
    return [each["sql"] for each in seen.captured_queries if not each["sql"].startswith(("SAVEPOINT", "RELEASE"))]


def list_of(model: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def page_of(row: Any) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


@pytest.mark.parametrize("model", TABLES, ids=label)
def test_a_list_and_its_pages_take_as_many_queries_for_many_rows_as_for_few(model, boss, alice, staff):
    rows.seed(alice, staff)
    # The last one is one of Alice's, or the newest.
    row = alice if model is User else model.objects.order_by("pk").last()
    inlines = [each.model for each in admin.site.get_model_admin(model).inlines]
    counts = []
    # The first visit fills caches of the process.
    queries(boss, list_of(model)), queries(boss, page_of(row))
    for more in (1, 28):
        rows.copy(row, more)
        for child in (each for inline in inlines if (each := inline.objects.last())):
            rows.copy(child, more)
        counts.append([queries(boss, list_of(model)), queries(boss, page_of(row))])
    few, many = counts
    for before, after in zip(few, many, strict=True):
        assert len(after) == len(before) <= MOST, "\n".join(sql[sql.find(" FROM ") :][:150] for sql in after)
    listed = many[0]
    assert not [sql for sql in listed if "COUNT(" in sql]
    assert not [sql for sql in listed if "DISTINCT" in sql and '"owner_id" IS NULL' not in sql]


@pytest.mark.parametrize("model", TABLES, ids=label)
def test_a_list_has_only_filters_and_searches_that_do_not_count(model, boss):
    shown = admin.site.get_model_admin(model)
    assert issubclass(shown.get_changelist(HttpRequest()), LimitedList)
    assert not shown.date_hierarchy
    plain = [each for each in shown.list_filter if isinstance(each, str) and "__" not in each]
    fields = [model._meta.get_field(name) for name in plain]
    assert [each for each in fields if isinstance(each, models.CharField) and not each.choices] == []
    assert queries(boss, f"{list_of(model)}?q=nobody@example.com")


def test_a_list_turns_pages_without_a_count_and_ends(boss, alice, staff):
    rows.seed(alice, staff)
    rows.copy(StaffAct.objects.get(), 60)
    page = boss.get(list_of(StaffAct))
    assert len(page.context["cl"].result_list) == 50
    assert 'rel="next"' in page.text
    assert 'rel="prev"' not in page.text
    last = boss.get(f"{list_of(StaffAct)}?p=2")
    assert len(last.context["cl"].result_list) == 11
    assert 'rel="next"' not in last.text
    assert 'rel="prev"' in last.text
    assert boss.get(f"{list_of(StaffAct)}?p={LAST_PAGE + 1}").status_code == 302


def test_a_search_finds_a_customer_by_the_whole_name_or_email_in_any_case(boss, alice, staff):
    rows.seed(alice, staff)
    for term, found in (
        ("ALICE", True),
        (alice.email.upper(), True),
        ("alic", False),
        ("999999999999999999999", False),
    ):
        assert bool(boss.get(list_of(Payment), {"q": term}).context["cl"].result_list) == found, term


@pytest.mark.parametrize("model", [Payment, StaffAct])
def test_a_filter_by_time_shows_the_last_days(model, boss, alice, staff):
    rows.seed(alice, staff)
    for days, found in (("1", True), ("7", True), ("no number", True)):
        assert bool(boss.get(list_of(model), {"created_at__since": days}).context["cl"].result_list) == found
    row = model.objects.latest("id")
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(f"UPDATE {table} SET created_at = created_at - interval '10 days'")
    for days, found in (("1", False), ("7", False), ("30", True)):
        listed = boss.get(list_of(model), {"created_at__since": days}).context["cl"].result_list
        assert (row in listed) == found, days


def test_history_leads_to_the_acts_on_the_row(boss, alice, staff):
    rows.seed(alice, staff)
    acted = StaffAct.objects.get()
    pk = acted.objects_touched[0].split(":")[1]
    page = boss.get(f"/admin/payments/payment/{pk}/history/", follow=True)
    assert list(page.context["cl"].result_list) == [acted]
    assert boss.get("/admin/payments/payment/0/history/", follow=True).context["cl"].result_count == 0


def test_the_scheduler_is_out_of_sight_of_the_business(boss):
    page = boss.get("/admin/payments/payment/")
    assert "django_celery_beat" not in page.text
    apps_shown = [app["name"] for app in boss.get("/admin/").context["app_list"]]
    assert apps_shown[-1] == "Scheduler"


def test_a_page_shows_no_microseconds_and_no_part_of_a_minor_unit(boss, alice, staff):
    rows.seed(alice, staff)
    row = Subscription.objects.get()
    Subscription.objects.update(paused_left=93_600_123_456, credit=123_456_789)
    page = boss.get(page_of(row)).text
    assert "1 day, 2:00:00" in page
    assert "93600123456" not in page
    assert "123456789" not in page
    LedgerCheck.objects.update(seconds=0.0867891)
    TaskRun.objects.update(seconds=0.0867891, total_seconds=3.1234567)
    for each in (LedgerCheck.objects.latest("pk"), TaskRun.objects.latest("pk")):
        for shown in (boss.get(page_of(each)).text, boss.get(f"/admin/core/{each._meta.model_name}/").text):
            assert "0.09" in shown
            assert "0.0867" not in shown
            assert "3.1234" not in shown


def test_a_page_shows_each_field_once_and_codes_in_words(boss, alice, staff):
    rows.seed(alice, staff)
    event = Event.objects.filter(type="payment.confirmed").first()
    text = boss.get(page_of(event)).text
    assert text.count("<pre>") == 1
    assert "Payment confirmed" in text
    payment = Payment.objects.latest("id")
    shown = boss.get(page_of(payment)).text
    assert shown.count("field-metadata") == 1
    assert shown.count("field-amount_shown") >= 1
    assert "Receipt" in boss.get(page_of(Mail.objects.get(cause="lists"))).text
