"""Calendar arithmetic by python-dateutil, and conversion of instants to text and back."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

from dateutil.relativedelta import relativedelta

MICROSECOND = timedelta(microseconds=1)


def later(anchor: datetime, interval: str, count: int) -> datetime:
    """Return `anchor` plus `count` intervals; a day that the month does not have becomes its last day."""
    intervals: dict[str, Any] = {interval + "s": count}
    return anchor + relativedelta(**intervals)


def share(part: timedelta, whole: timedelta) -> Fraction:
    """Return part / whole as an exact fraction."""
    return Fraction(part // MICROSECOND, whole // MICROSECOND)


def parse(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def text(instant: datetime | None) -> str | None:
    """Return an instant as text with a final Z, and with microseconds only if they are not zero."""
    return None if instant is None else instant.isoformat().replace("+00:00", "Z")
