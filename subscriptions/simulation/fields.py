"""One object of a scenario file, read field by field. Whatever is wrong is told with its place and what is allowed."""

import re
from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from typing import Any, NoReturn

from ledger.money import Money, NotMoney
from subscriptions.engine.calendar import to_micros

YEARS = range(1970, 3000)

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII)
_REQUIRED: Any = object()


class BadScenario(ValueError):
    """The scenario cannot be played. The message names the event and the field, and what is allowed there."""


class Fields:
    """The fields of one JSON object. `where` is its place in the file, such as `events[3]`; the top has none."""

    def __init__(self, value: Any, where: str, allowed: Collection[str]) -> None:
        if not isinstance(value, dict):
            raise BadScenario(f"{where or 'scenario'}: {value!r} is not an object")
        self.value, self.where = value, where
        for name in value.keys() - allowed:
            self.wrong(name, f"is not known here; allowed are {', '.join(allowed)}")

    def wrong(self, name: str, complaint: str) -> NoReturn:
        """Raise BadScenario about the field `name`."""
        raise BadScenario(f"{self.place(name)}: {complaint}")

    def place(self, name: str) -> str:
        return f"{self.where}.{name}" if self.where else name

    def get(self, name: str, default: Any = _REQUIRED) -> Any:
        """Return the field as it stands; without a default it must be there."""
        value = self.value.get(name, default)
        if value is _REQUIRED:
            self.wrong(name, "is missing")
        return value

    def text(self, name: str, default: Any = _REQUIRED) -> str:
        """Read a text of 1 to 100 characters."""
        value = self.get(name, default)
        if not isinstance(value, str) or not 1 <= len(value) <= 100:
            self.wrong(name, f"{value!r} is not a text of 1 to 100 characters")
        return value

    def choice(self, name: str, allowed: Collection[str], default: Any = _REQUIRED) -> Any:
        """Read one of the words `allowed`, or the default."""
        value = self.get(name, default)
        if value is not default and (not isinstance(value, str) or value not in allowed):
            self.wrong(name, f"{value!r} is not one of {', '.join(allowed)}")
        return value

    def whole(self, name: str, least: int, most: int, default: Any = _REQUIRED) -> int:
        """Read a whole number from `least` to `most`."""
        value = self.get(name, default)
        if type(value) is not int or not least <= value <= most:
            self.wrong(name, f"{value!r} is not a whole number from {least} to {most}")
        return value

    def flag(self, name: str, default: bool) -> bool:
        value = self.get(name, default)
        if type(value) is not bool:
            self.wrong(name, f"{value!r} is not true or false")
        return value

    def rows(self, name: str, default: Any = _REQUIRED) -> list[Any]:
        value = self.get(name, default)
        if not isinstance(value, list):
            self.wrong(name, f"{value!r} is not a list")
        return value

    def instant(self, name: str) -> int:
        """Read an instant as microseconds since 1970."""
        return instant(self.get(name), self.place(name))

    def money(self, name: str, currency: str, least: int) -> int:
        """Read an amount in major units, such as "99.00", as minor units; no less than `least`."""
        value = self.get(name)
        if type(value) is float:
            self.wrong(name, f"{value!r} is a binary fraction; write the amount as a text")
        if type(value) not in (str, int, Decimal):
            self.wrong(name, f'{value!r} is not an amount; write a text such as "99.00"')
        try:
            amount = Money.parse(str(value), currency).amount
        except NotMoney as problem:
            self.wrong(name, str(problem))
        if amount < least:
            self.wrong(name, f"{str(value)!r} is too small; the least is {Money(least, currency).plain()}")
        return amount


def instant(value: Any, place: str) -> int:
    """Read an instant with its zone, such as 2026-01-31T10:00:00Z, as microseconds since 1970."""
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        raise BadScenario(f"{place}: {value!r} is not an instant with its zone, such as 2026-01-31T10:00:00Z")
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as problem:
        raise BadScenario(f"{place}: {value!r} is not an instant: {problem}") from None
    if moment.year not in YEARS:
        raise BadScenario(f"{place}: {value!r} is not within the years {YEARS[0]} to {YEARS[-1]}")
    return to_micros(moment)
