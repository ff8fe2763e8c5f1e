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
from core.lists import LimitedList
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
