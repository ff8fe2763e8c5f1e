"""The table of dunning: when a declined charge is tried again. March 2026 begins on a Sunday."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from payments.collection.schedule import next_try, within_working_hours

DAYS = (1, 3, 5, 7)
MOSCOW = ZoneInfo("Europe/Moscow")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=UTC)


def tries(
    first: str, *, zone: tzinfo = UTC, days: Sequence[int] = DAYS, late: timedelta = timedelta(0)
) -> list[datetime]:
    """Return all tries after the first decline, each made `late` after its time and declined too."""
    found: list[datetime] = []
    newest = utc(first)
    while at := next_try(utc(first), len(found) + 1, days=days, zone=zone, now=newest):
        found.append(at)
        newest = at + late
    return found


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        # Monday, 2 March, at 10:00. Saturday the 7th waits for Monday, and the last try stays a day behind it.
        ("03-02 10:00", ["03-03 10:00", "03-05 10:00", "03-09 09:00", "03-10 09:00"]),
        ("03-04 10:00", ["03-05 10:00", "03-09 09:00", "03-10 09:00", "03-11 10:00"]),
        # Thursday evening: the first try waits for Monday, and the second one was due on Sunday.
        ("03-05 18:24", ["03-09 09:00", "03-10 09:00", "03-11 09:00", "03-13 09:00"]),
        ("03-06 12:00", ["03-09 09:00", "03-10 09:00", "03-11 12:00", "03-13 12:00"]),
        ("03-07 23:59", ["03-09 09:00", "03-11 09:00", "03-13 09:00", "03-16 09:00"]),
    ],
)
def test_tries_count_from_the_first_decline_and_are_at_least_a_day_apart(first: str, expected: list[str]) -> None:
    assert tries(first) == [utc(at) for at in expected]


def test_a_late_try_moves_the_next_one() -> None:
    # The workers were down for three days: 3 March's try is made on the 6th, a Friday.
    assert tries("03-02 10:00", days=(1, 3), late=timedelta(days=3)) == [utc("03-03 10:00"), utc("03-09 09:00")]


def test_without_days_nothing_is_tried_again() -> None:
    assert tries("03-02 10:00", days=()) == []


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


@pytest.mark.parametrize("hour", range(7 * 24))
def test_whatever_the_hour_of_the_first_decline(hour: int) -> None:
    first = utc("03-02 00:24") + timedelta(hours=hour)
    found = tries(first.strftime("%m-%d %H:%M"), zone=MOSCOW)
    assert all(at >= first + timedelta(days=day) for at, day in zip(found, DAYS, strict=True))
    assert all(after - before >= timedelta(days=1) for before, after in pairwise([first, *found]))
    assert all(within_working_hours(at, MOSCOW) == at for at in found)
