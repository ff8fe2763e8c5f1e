"""When a declined charge is tried again (dunning): a pure table of days, moved into working hours."""

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo

# Working hours, on Monday to Friday: people can read a mail and act.
OPENS, CLOSES = 9, 18
SATURDAY = 5


# The least time between two tries, whatever the weekends and the runs have moved.
APART = timedelta(days=1)


def next_try(
    declined_at: datetime, declines: int, *, days: Sequence[int], zone: tzinfo, now: datetime
) -> datetime | None:
    """Return when to try again after so many declines, of which the first was at `declined_at`; None if never.

    `days` count from the first decline: (1, 3, 5, 7) gives four more tries. The newest decline was at `now`: the next
    try is at least APART later, also if a weekend or a late run has moved the newest one past the day of the next.
    """
    if declines > len(days):
        return None
    return within_working_hours(max(declined_at + timedelta(days=days[declines - 1]), now + APART), zone)


def within_working_hours(at: datetime, zone: tzinfo) -> datetime:
    """Return the first instant from `at` on that is within working hours in this time zone."""
    local = at.astimezone(zone)
    if local.hour >= CLOSES:
        local = _opening(local + timedelta(days=1))
    elif local.hour < OPENS:
        local = _opening(local)
    while local.weekday() >= SATURDAY:
        local = _opening(local + timedelta(days=1))
    return local.astimezone(at.tzinfo)


def _opening(local: datetime) -> datetime:
    return local.replace(hour=OPENS, minute=0, second=0, microsecond=0)
