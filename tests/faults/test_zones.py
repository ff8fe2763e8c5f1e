"""Time zones of machine, database and reader, and summer times, do not matter: an instant is what it is in UTC."""

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

# Summer time begins and ends in Berlin and New York; half hours; a whole day left out in Samoa at the end of 2011.
PLACES = [
    ("Europe/Berlin", datetime(2026, 3, 28, 1, 30, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 10, 24, 0, 30, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 3, 7, 6, 59, 59, 999_999, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 15, tzinfo=UTC)),
    ("Pacific/Apia", datetime(2011, 12, 28, 10, tzinfo=UTC)),
    ("Asia/Kathmandu", datetime(2026, 1, 31, 18, 15, tzinfo=UTC)),
]


@contextmanager
def standing_in(zone: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Move the machine and the reader there."""
    with monkeypatch.context() as patch, timezone.override(ZoneInfo(zone)):
        patch.setenv("TZ", zone)
        time.tzset()
        yield
    time.tzset()


def live(user: User, prices: list[Price], begun: datetime, zone: ZoneInfo) -> None:
    """Subscribe the evening before the clocks change, and look every eleven hours for a week, then after two months."""
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
    live(here, prices, begun, ZoneInfo("UTC"))
    with standing_in(zone, monkeypatch):
        live(there, prices, begun, ZoneInfo(zone))
        seen = of_one(there)
    assert seen == of_one(there) == of_one(here)
    daily = seen["charges"]["s0"]
    # Sixty-two days, each of 24 hours, none left out and none twice.
    assert [(start, end) for _, start, end, *_ in daily] == [
        (begun + day * DAY, begun + (day + 1) * DAY) for day in range(62)
    ]
    assert broken_rules() == []


@pytest.mark.django_db(transaction=True)
def test_the_time_zones_of_machine_and_database_do_not_affect_a_run(child_environment):
    town.found(4)
    town.settle_twins(town.NOW)
    name = connection.get_connection_params()["dbname"]
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER DATABASE \"{name}\" SET timezone = 'Pacific/Apia'")
    try:
        away = child_environment | {"TZ": "Pacific/Apia", "PGTZ": "Pacific/Apia"}
        town.well(town.child(away, "bill_due", "--catch-up", now=town.NOW.isoformat()))
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f'ALTER DATABASE "{name}" RESET timezone')
    census = town.census()
    assert census["citizen"] == census["twin"]
    assert town.due(town.NOW) == 0
