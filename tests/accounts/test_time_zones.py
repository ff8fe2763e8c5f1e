"""The time zones that customers may choose exist, and have every clock in use."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from django.core.exceptions import ValidationError

from accounts import time_zones


def test_each_exists_and_is_listed_once():
    assert [name for name in time_zones.NAMES if name not in available_timezones()] == []
    assert len(set(time_zones.NAMES)) == len(time_zones.NAMES)


def test_every_offset_in_use_is_there():
    """In January and in July. Names such as Etc/GMT+12 are no places."""
    for month in (1, 7):
        at = datetime(2026, month, 1, tzinfo=UTC)

        def offset(name: str, at: datetime = at) -> timedelta | None:
            return at.astimezone(ZoneInfo(name)).utcoffset()

        regions = tuple(time_zones.PLACES)
        used = {offset(name) for name in available_timezones() if name.split("/")[0] in regions}
        assert used - {offset(name) for name in time_zones.NAMES} == set()


@pytest.mark.parametrize("name", ["Mars/Olympus", "europe/moscow", "", "../etc/passwd"])
def test_other_names_are_refused(name):
    with pytest.raises(ValidationError, match="Choose a time zone from the list"):
        time_zones.check(name)
