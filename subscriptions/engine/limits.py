"""The most that one subscription may be: keeps amounts within bigint and periods within the calendar."""

MOST_PERIODS = 1_000
MOST_QUANTITY = 1_000_000

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
