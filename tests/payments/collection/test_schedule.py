"""The table of dunning: when a declined charge is tried again. March 2026 begins on a Sunday."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from payments.collection.schedule import next_try, within_working_hours

DAYS = (1, 3, 5, 7)
MOSCOW = ZoneInfo("Europe/Moscow")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("declines", "expected"),
    [
        # The first decline was on Monday, 2 March, at 10:00.
        (1, "03-03 10:00"),
        (2, "03-05 10:00"),
        # Saturday the 7th and Sunday wait for Monday.
        (3, "03-09 09:00"),
        (4, "03-09 10:00"),
        (5, None),
        (6, None),
    ],
)
def test_each_try_counts_from_the_first_decline(declines: int, expected: str | None) -> None:
    tried = next_try(utc("03-02 10:00"), declines, days=DAYS, zone=UTC)
    assert tried == (utc(expected) if expected else None)


def test_without_days_nothing_is_tried_again() -> None:
    assert next_try(utc("03-02 10:00"), 1, days=(), zone=UTC) is None


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("03-02 09:00", "03-02 09:00"),
        ("03-02 17:59:59", "03-02 17:59:59"),
        ("03-02 18:00", "03-03 09:00"),
        ("03-02 03:00", "03-02 09:00"),
        ("03-02 00:00", "03-02 09:00"),
        # Friday evening, Saturday and Sunday wait for Monday.
        ("03-06 18:00", "03-09 09:00"),
        ("03-07 12:00", "03-09 09:00"),
        ("03-08 23:59", "03-09 09:00"),
    ],
)
def test_working_hours(at: str, expected: str) -> None:
    assert within_working_hours(utc(at), UTC) == utc(expected)


def test_working_hours_are_those_of_the_time_zone() -> None:
    # 16:00 UTC is 19:00 in Moscow, and 9:00 in Moscow is 6:00 UTC.
    assert within_working_hours(utc("03-02 16:00"), MOSCOW) == utc("03-03 06:00")
    assert within_working_hours(utc("03-02 06:00"), MOSCOW) == utc("03-02 06:00")


def test_working_hours_begin_at_nine_also_after_the_clocks_change() -> None:
    # In Berlin clocks go forward on Sunday, 29 March: 9:00 is 7:00 UTC afterwards.
    assert within_working_hours(utc("03-28 12:00"), ZoneInfo("Europe/Berlin")) == utc("03-30 07:00")


def test_a_schedule_never_goes_back() -> None:
    declined = utc("03-06 17:00")
    tries = [next_try(declined, n, days=DAYS, zone=MOSCOW) for n in range(1, 5)]
    times = [at for at in tries if at]
    assert times == sorted(times)
    assert all(at >= declined + timedelta(days=day) for at, day in zip(times, DAYS, strict=True))
