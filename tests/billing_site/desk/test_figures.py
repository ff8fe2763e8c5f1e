"""The page of figures: who may see it, what it adds up, its spans and its charts."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from billing_site.desk import figures
from core import charts
from payments.models import Payment
from subscriptions import books, daily, tasks
from subscriptions.models import DailyFigure
from tests.payments import staff_rows
from tests.staff import member
from tests.subscriptions.shop import pay_in, sell

pytestmark = pytest.mark.django_db
MARCH = datetime(2026, 3, 1, tzinfo=UTC)


def browser(role: str) -> Client:
    client = Client()
    client.force_login(member(role))
    return client


@pytest.fixture
def finance() -> Client:
    return browser("finance")


@pytest.fixture
def served(alice) -> None:
    """Alice subscribed on 16 March for 31.00 a month, and cancelled two months later with her money back."""
    price = sell("basic", RUB=31_00)["RUB"]
    at = MARCH + timedelta(days=15)
    pay_in(alice, 500_00, at=at)
    with books.open(alice, "RUB", now=at) as book:
        subscription = book.subscribe(price)
    with books.open(alice, "RUB", now=datetime(2026, 5, 16, tzinfo=UTC)) as book:
        book.end(subscription, refund_unused=True)


def page(client: Client, **query: str) -> Any:
    return client.get("/admin/figures/", query)


def facts(answer: Any) -> dict[str, str]:
    return {name: value for name, value, _ in answer.context["facts"]}


@pytest.mark.parametrize(("role", "status"), [("finance", 200), ("auditor", 200), ("support", 403), ("developer", 403)])
def test_only_some_roles_see_figures(role, status, served):
    client = browser(role)
    assert page(client).status_code == status
    assert ("/admin/figures/" in client.get("/admin/").content.decode()) is (status == 200)


def test_an_empty_database_says_so(finance):
    answer = page(finance)
    assert answer.status_code == 200
    assert "There are no figures yet." in answer.content.decode()


@pytest.mark.parametrize("is_rolled_up", [False, True])
def test_the_span_is_added_up_by_month(finance, served, is_rolled_up):
    if is_rolled_up:
        daily.roll_up(now=datetime.now(UTC))
    answer = page(finance, currency="RUB", **{"from": "2026-03-01", "to": "2026-05-31"})
    shown = facts(answer)
    assert shown["Revenue"] == "₽62.00"
    assert shown["Cash in"] == "₽500.00"
    assert shown["We owe customers"] == "₽438.00"
    assert shown["MRR at the end"] == "₽0.00"
    revenue, moves = answer.context["charts"][:2]
    # 31 days from 16 March at 1.00 a day, then 30 days from 16 April at 31/30 a day.
    assert [row[:2] for row in revenue.rows] == [
        ["May 2026", "₽15.50"], ["Apr 2026", "₽30.50"], ["Mar 2026", "₽16.00"],
    ]  # fmt: skip
    assert [row[1:] for row in moves.rows] == [
        ["₽0.00", "₽0.00", "₽0.00", "₽0.00", "−₽31.00", "−₽31.00"],
        ["₽0.00"] * 6,
        ["₽31.00", "₽0.00", "₽0.00", "₽0.00", "₽0.00", "₽31.00"],
    ]
    assert "Checked: correct" in answer.content.decode()


def test_churn_is_a_part_of_what_there_was_at_the_start(finance, served):
    answer = page(finance, currency="RUB", **{"from": "2026-05-01", "to": "2026-05-31"})
    assert facts(answer)["Churn rate"] == "100.0 %"
    assert answer.context["identity"]["start"] == "₽31.00"
    assert answer.context["identity"]["is_right"]


def test_movements_that_do_not_add_up_are_not_called_correct(finance, served):
    daily.roll_up(now=datetime.now(UTC))
    DailyFigure.objects.filter(day=date(2026, 5, 16)).update(churn=-30_00)
    body = page(finance, currency="RUB", **{"from": "2026-03-01"}).content.decode()
    assert "The movements do not add up" in body
    assert "Checked: correct" not in body


def test_failed_payments_are_counted_with_what_they_would_have_brought(finance, alice):
    now = datetime.now(UTC)
    staff_rows.pay(alice, 100_00, now=now)
    failed = staff_rows.pay(alice, 170_00, "insufficient_funds", now=now)
    assert Payment.objects.get(pk=failed.pk).status == "failed"
    answer = page(finance, by="day")
    name, value, note = answer.context["facts"][-1]
    assert (name, value, note) == ("Failed payments", "1", "₽170.00")
    assert answer.context["charts"][-1].rows[0][1] == "1"


@pytest.mark.parametrize(
    ("query", "field", "said"),
    [
        ({"from": "2026-05-02", "to": "2026-05-01"}, "from", "not after the last one"),
        ({"by": "day", "from": "2025-01-01", "to": "2026-01-01"}, "from", "at most 120 days"),
        ({"by": "hour"}, "by", "not one of the available choices"),
        ({"currency": "XXX"}, "currency", "not one of the available choices"),
        ({"to": "yesterday"}, "to", "valid date"),
    ],
)
def test_a_span_that_makes_no_sense_is_refused(finance, served, query, field, said):
    answer = page(finance, **query)
    assert answer.status_code == 400
    assert said in " ".join(answer.context["form"].errors[field])


def test_the_page_takes_few_queries_whatever_the_span(finance, served):
    daily.roll_up(now=datetime.now(UTC))
    page(finance)
    with CaptureQueriesContext(connection) as months:
        page(finance, currency="RUB", by="month", **{"from": "2026-01-01"})
    with CaptureQueriesContext(connection) as days:
        page(finance, currency="RUB", by="day", **{"from": "2026-03-01", "to": "2026-05-30"})
    assert len(months) == len(days) <= 12


def test_charts_are_valid_pictures_in_russian_too(finance, served):
    User.objects.filter(username="finance").update(language="ru")
    body = page(finance, currency="RUB", **{"from": "2026-03-01", "to": "2026-05-31"}).content.decode()
    assert 'lang="ru"' in body
    pictures = re.findall(r"<svg class=\"chart\".*?</svg>", body, re.DOTALL)
    assert len(pictures) == 5
    for picture in pictures:
        for rect in ElementTree.fromstring(picture.replace("&nbsp;", " ")).iter("rect"):
            float(rect.attrib["y"]), float(rect.attrib["height"]), float(rect.attrib["x"].rstrip("%"))


def test_weeks_begin_on_monday_and_months_on_the_first():
    assert figures.buckets("week", date(2026, 3, 4), date(2026, 3, 17)) == [
        date(2026, 3, 4), date(2026, 3, 9), date(2026, 3, 16),
    ]  # fmt: skip
    assert figures.buckets("month", date(2025, 11, 20), date(2026, 1, 1)) == [
        date(2025, 11, 20), date(2025, 12, 1), date(2026, 1, 1),
    ]  # fmt: skip
    assert figures.usual_start("month", date(2026, 12, 2)) == date(2026, 1, 1)
    assert figures.usual_start("month", date(2026, 3, 31)) == date(2025, 4, 1)


def test_bars_hang_under_the_base_line_if_below_zero():
    drawn = charts.bars(
        [("a", [30, -10]), ("b", [0, 0])], label="x", first="y", key={"c1": "Up", "c4": "Down"}, text=str
    )
    up, down = drawn.bars[0].rects
    assert up.y + up.h <= drawn.base <= down.y
    assert down.y + down.h <= drawn.height
    assert drawn.bars[1].rects == []
    assert drawn.rows == [["b", "0", "0"], ["a", "30", "-10"]]


@pytest.mark.parametrize(
    ("top", "nice"), [(0, 1), (1, 1), (11, 12), (170, 200), (999, 1000), (10**12 + 1, 12 * 10**11)]
)
def test_the_scale_ends_at_a_round_number(top, nice):
    assert charts.nice(top) == nice


def test_nobody_waits_for_a_large_ledger_that_is_not_rolled_up(finance, served, monkeypatch):
    asked: list[int] = []
    monkeypatch.setattr(daily, "MOST_ROWS", 0)
    monkeypatch.setattr(tasks.roll_up_figures, "delay", lambda: asked.append(1))
    cache.delete(figures.ASKED)
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            answer = page(finance)
        assert "Reload this page in a few minutes." in answer.content.decode()
        assert "subscriptions_charge" not in " ".join(query["sql"] for query in queries)
    assert asked == [1]
    tasks.roll_up_figures()
    assert facts(page(finance))["Revenue"]


def test_a_roll_up_that_stopped_is_asked_for_after_a_week(finance, served, monkeypatch):
    monkeypatch.setattr(daily, "MOST_ROWS", 0)
    daily.roll_up(now=datetime(2026, 6, 1, tzinfo=UTC))
    assert not daily.takes_long(now=datetime(2026, 6, 7, 23, tzinfo=UTC))
    assert daily.takes_long(now=datetime(2026, 6, 8, tzinfo=UTC))
