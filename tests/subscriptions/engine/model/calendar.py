"""Calendar arithmetic by python-dateutil: whole intervals counted from an anchor. Times as text and back."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

from dateutil.relativedelta import relativedelta

MICROSECOND = timedelta(microseconds=1)


def later(anchor: datetime, interval: str, count: int) -> datetime:
    """Return the instant `count` intervals after `anchor`; a day that a month lacks is its last day."""
    intervals: dict[str, Any] = {interval + "s": count}
    return anchor + relativedelta(**intervals)


def share(part: timedelta, whole: timedelta) -> Fraction:
    """Return how much of `whole` the `part` is, exactly."""
    return Fraction(part // MICROSECOND, whole // MICROSECOND)


def parse(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def text(instant: datetime | None) -> str | None:
    """Write an instant with a final Z, and its microseconds only where they are not zero."""
    return None if instant is None else instant.isoformat().replace("+00:00", "Z")
