"""When a declined charge is tried again (dunning): a pure table of days, moved into working hours."""

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo

# Working hours, on Monday to Friday: people can read a mail and act.
OPENS, CLOSES = 9, 18
SATURDAY = 5


def next_try(declined_at: datetime, declines: int, *, days: Sequence[int], zone: tzinfo) -> datetime | None:
    """Return when to try again after so many declines, of which the first was at `declined_at`; None if never.

    `days` count from the first decline: (1, 3, 5, 7) gives four more tries.
    """
    if declines > len(days):
        return None
    return within_working_hours(declined_at + timedelta(days=days[declines - 1]), zone)


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
