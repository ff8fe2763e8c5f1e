"""Time zones of the machine, the database and the user, and summer time, do not affect billing."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import User
from subscriptions import billing_run, books
from subscriptions.models import Price
from tests.faults import town
from tests.subscriptions.bank import DAY, broken_rules, people
from tests.subscriptions.picture import of_one
from tests.subscriptions.shop import pay_in, sell

# Start and end of summer time, half-hour offsets, and the day that Samoa skipped at the end of 2011.
PLACES = [
    ("Europe/Berlin", datetime(2026, 3, 28, 1, 30, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 10, 24, 0, 30, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 3, 7, 6, 59, 59, 999_999, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 15, tzinfo=UTC)),
    ("Pacific/Apia", datetime(2011, 12, 28, 10, tzinfo=UTC)),
    ("Asia/Kathmandu", datetime(2026, 1, 31, 18, 15, tzinfo=UTC)),
]


@contextmanager
def in_time_zone(zone: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Set the time zone of the machine and of Django."""
    with monkeypatch.context() as patch, timezone.override(ZoneInfo(zone)):
        patch.setenv("TZ", zone)
        time.tzset()
        yield
    time.tzset()


def use_plans(user: User, prices: list[Price], begun: datetime, zone: ZoneInfo) -> None:
    """Subscribe before the clocks change, settle every eleven hours for a week, then run billing after two months."""
    pay_in(user, 5000_00, at=begun.astimezone(zone))
    with books.open(user, "RUB", now=begun.astimezone(zone)) as book:
        for price in prices:
            book.subscribe(price)
    for turn in range(1, 16):
        with books.open(user, "RUB", now=(begun + turn * timedelta(hours=11)).astimezone(zone)):
            pass
    billing_run.run_due(now=(begun + 61 * DAY).astimezone(zone), catch_up=True)


@pytest.mark.django_db
@pytest.mark.parametrize(("zone", "begun"), PLACES)
def test_summer_time_changes_do_not_affect_billing(zone, begun, monkeypatch):
    here, there = people(2)
    prices = [
        sell("daily", RUB=10_00, interval="day")["RUB"], sell("monthly", RUB=990_00)["RUB"],
        sell("hourly", RUB=1_01, interval="hour", metered=True)["RUB"],
    ]  # fmt: skip
    use_plans(here, prices, begun, ZoneInfo("UTC"))
    with in_time_zone(zone, monkeypatch):
        use_plans(there, prices, begun, ZoneInfo(zone))
        seen = of_one(there)
    assert seen == of_one(there) == of_one(here)
    daily = seen["charges"]["s0"]
    # Sixty-two days of 24 hours each, without a gap or an overlap.
    assert [(start, end) for _, start, end, *_ in daily] == [
        (begun + day * DAY, begun + (day + 1) * DAY) for day in range(62)
    ]
    assert broken_rules() == []


@pytest.mark.django_db(transaction=True)
def test_the_time_zones_of_machine_and_database_do_not_affect_a_run(child_environment):
    town.populate(4)
    town.settle_twins(town.NOW)
    name = connection.get_connection_params()["dbname"]
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER DATABASE \"{name}\" SET timezone = 'Pacific/Apia'")
    try:
        away = child_environment | {"TZ": "Pacific/Apia", "PGTZ": "Pacific/Apia"}
        town.check_output(town.run_child(away, "bill_due", "--catch-up", now=town.NOW.isoformat()))
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f'ALTER DATABASE "{name}" RESET timezone')
    census = town.census()
    assert census["citizen"] == census["twin"]
    assert town.due(town.NOW) == 0
