"""The most that one subscription may be: keeps amounts within bigint and periods within the calendar."""

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta

# How long what one payment buys may last.
MOST_YEARS = 100
# About how many of each interval a year has.
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
    """Tell whether `count` intervals from any instant of ours end at one that a calendar has."""
    return count <= MOST_YEARS * IN_A_YEAR[interval]


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
SECOND = 1_000_000
DAY = 86_400 * SECOND

# Intervals that always last the same.
LENGTHS = {"second": SECOND, "minute": 60 * SECOND, "hour": 3600 * SECOND, "day": DAY, "week": 7 * DAY}
MONTHS = {"month": 1, "year": 12}
# What so many intervals last at least, each.
SHORTEST = LENGTHS | {"month": 28 * DAY, "year": 365 * DAY}
FIRST_DAY = EPOCH.toordinal()


def to_micros(moment: datetime) -> int:
    """Return the instant as microseconds since 1970, exactly."""
    return (moment - EPOCH) // MICROSECOND


def to_datetime(micros: int) -> datetime:
    """Return microseconds since 1970 as an aware datetime in UTC."""
    return EPOCH + timedelta(microseconds=micros)


def plus(anchor: int, interval: str, count: int) -> int:
    """Return `anchor` and `count` intervals; a day that a month lacks is its last day.

    Always count from the anchor, never from the previous end: 31 Jan, 28 Feb, 31 Mar.
    """
    length = LENGTHS.get(interval)
    if length is not None:
        return anchor + length * count
    days, rest = divmod(anchor, DAY)
    start = date.fromordinal(FIRST_DAY + days)
    year, month = divmod(start.year * 12 + start.month - 1 + count * MONTHS[interval], 12)
    day = start.day if start.day <= 28 else min(start.day, monthrange(year, month + 1)[1])
    return (date(year, month + 1, day).toordinal() - FIRST_DAY) * DAY + rest
