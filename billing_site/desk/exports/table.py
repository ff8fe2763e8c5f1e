"""What an export is: a statement, and a column of the file for each column of its result."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import Enum, auto
from typing import Any

from django.utils import timezone
from django.utils.functional import Promise


class Kind(Enum):
    """How the value of a column is written."""

    TEXT = auto()
    # A number that is not money, such as an id or a count.
    NUMBER = auto()
    # Minor units in the database, a plain decimal in the file.
    MONEY = auto()
    # An instant, in ISO 8601 and UTC.
    TIME = auto()
    DAY = auto()


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `name` in the statement, `heading` in the file."""

    name: str
    heading: str | Promise
    kind: Kind = Kind.TEXT
    # Of money: the name of the column that has its currency, and whether the last lines have its sum.
    currency: str = "currency"
    is_summed: bool = True


@dataclass(frozen=True, slots=True)
class Export:
    """One file that staff can have. The statement knows %(start)s, %(end)s, %(currency)s (or empty) and %(zone)s."""

    name: str
    title: str | Promise
    # What the file has, in a sentence or two, for the page of exports.
    about: str | Promise
    sql: str
    columns: tuple[Column, ...]
    # False for what is so at the end of the last day, whatever the first one.
    has_start: bool = True


@dataclass(frozen=True, slots=True)
class Extract:
    """An export of certain days. Both days are included, and are days of the site's time zone."""

    export: Export
    first: date | None
    last: date
    # Only this currency; empty for all.
    currency: str = ""
    # Whether the file begins with a byte order mark.
    has_bom: bool = False

    @property
    def zone(self) -> str:
        """The name of the site's time zone."""
        return timezone.get_default_timezone_name()

    @property
    def span(self) -> str:
        """The days with their time zone, such as `2026-01-01 – 2026-01-31 (UTC)`."""
        days = f"{self.first} – {self.last}" if self.first and self.export.has_start else str(self.last)
        return f"{days} ({self.zone})"

    @property
    def filename(self) -> str:
        """The name of the file, such as `payments-2026-01-01-2026-01-31-EUR.csv`."""
        first = self.first if self.export.has_start else None
        return "-".join(str(part) for part in (self.export.name, first, self.last, self.currency) if part) + ".csv"

    def parameters(self) -> dict[str, Any]:
        """Return the parameters of the statement. `end` is the beginning of the day after the last one."""
        start = _midnight(self.first) if self.first else None
        end = _midnight(self.last + timedelta(days=1))
        return {"start": start, "end": end, "currency": self.currency, "zone": self.zone}


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), timezone.get_default_timezone())
