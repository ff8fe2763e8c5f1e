"""Time as integer microseconds, calendar intervals, and the longest interval that a price may have."""

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
SECOND = 1_000_000
DAY = 86_400 * SECOND

# Intervals of a fixed length.
LENGTHS = {"second": SECOND, "minute": 60 * SECOND, "hour": 3600 * SECOND, "day": DAY, "week": 7 * DAY}
MONTHS = {"month": 1, "year": 12}
# The shortest possible length of each interval.
SHORTEST = LENGTHS | {"month": 28 * DAY, "year": 365 * DAY}
FIRST_DAY = EPOCH.toordinal()

# The longest time that one payment may buy: keeps periods within the calendar.
MOST_YEARS = 10
# The number of intervals in a year, rounded up.
IN_A_YEAR = {
    "second": 366 * 86_400,
    "minute": 366 * 1_440,
    "hour": 366 * 24,
    "day": 366,
    "week": 53,
    "month": 12,
    "year": 1,
}


def is_within_calendar(interval: str, count: int) -> bool:
    """Tell whether `count` intervals last MOST_YEARS at most, so that their end is a valid date."""
    return count <= MOST_YEARS * IN_A_YEAR[interval]


def is_within_years(interval: str, count: int, at: int) -> bool:
    """Tell whether `count` intervals from `at` on last MOST_YEARS at most."""
    return is_within_calendar(interval, count) and plus(at, interval, count) <= plus(at, "year", MOST_YEARS)


def to_micros(moment: datetime) -> int:
    """Return an aware datetime as microseconds since 1970, without rounding."""
    return (moment - EPOCH) // MICROSECOND


def to_datetime(micros: int) -> datetime:
    """Return microseconds since 1970 as an aware datetime in UTC."""
    return EPOCH + timedelta(microseconds=micros)


def plus(anchor: int, interval: str, count: int) -> int:
    """Return `anchor` plus `count` intervals; a day that the month does not have becomes its last day.

    Always count from the anchor, never from the previous end: 31 Jan, 28 Feb, 31 Mar.
    """
    length = LENGTHS.get(interval)
    if length is not None:
        return anchor + length * count
    days, rest = divmod(anchor, DAY)
    return months_later(days, count * MONTHS[interval]) * DAY + rest


@lru_cache(maxsize=4096)
def months_later(days: int, months: int) -> int:
    """Return the day (since 1970) so many months later. Those who renew in one run have begun on a few days."""
    start = date.fromordinal(FIRST_DAY + days)
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    day = start.day if start.day <= 28 else min(start.day, monthrange(year, month + 1)[1])
    return date(year, month + 1, day).toordinal() - FIRST_DAY
