"""One object of a scenario file, read field by field. Whatever is wrong is told with its place and what is allowed."""

import re
from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from reprlib import Repr
from typing import Any, NoReturn

from core.normalization import UNSTORABLE
from ledger.money import Money, NotMoney
from subscriptions.engine.calendar import to_micros

YEARS = range(1970, 3000)

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII)
_REQUIRED: Any = object()
# What a line on a terminal must not hold: it would break the line, move the cursor, or not be written at all.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

# More characters than any amount has.
_LONGEST = 40

_repr = Repr()

_repr.maxstring = _repr.maxother = 80


class BadScenario(ValueError):
    """The scenario cannot be played. The message names the event and the field, and what is allowed there."""

    def __init__(self, complaint: str) -> None:
        super().__init__(on_one_line(complaint))


def on_one_line(text: str) -> str:
    """Return the text with its control characters and halves of surrogate pairs written out."""
    return _UNPRINTABLE.sub(lambda found: ascii(found[0])[1:-1], text)


def shown(value: Any) -> str:
    """Write a value of the file into a complaint: long and deep ones are cut."""
    return _repr.repr(value)


class Fields:
    """The fields of one JSON object. `where` is its place in the file, such as `events[3]`; the top has none."""

    def __init__(self, value: Any, where: str, allowed: Collection[str]) -> None:
        if not isinstance(value, dict):
            raise BadScenario(f"{where or 'scenario'}: {shown(value)} is not an object")
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
            self.wrong(name, f"{shown(value)} is not a text of 1 to 100 characters")
        return self.storable(name, value)

    def free_text(self, name: str) -> str:
        """Read a text of any length; the empty one when it is not there."""
        value = self.get(name, "")
        if not isinstance(value, str):
            self.wrong(name, f"{shown(value)} is not a text")
        return self.storable(name, value)

    def storable(self, name: str, text: str) -> str:
        """Return `text` unless it holds what no table keeps and no terminal writes."""
        if found := UNSTORABLE.search(text):
            self.wrong(name, f"{found[0]!a} is not allowed in a text: a NUL or half of a surrogate pair")
        return text

    def choice(self, name: str, allowed: Collection[str], default: Any = _REQUIRED) -> Any:
        """Read one of the words `allowed`, or the default."""
        value = self.get(name, default)
        if value is not default and (not isinstance(value, str) or value not in allowed):
            self.wrong(name, f"{shown(value)} is not one of {', '.join(allowed)}")
        return value

    def whole(self, name: str, least: int, most: int, default: Any = _REQUIRED) -> int:
        """Read a whole number from `least` to `most`."""
        value = self.get(name, default)
        if type(value) is not int or not least <= value <= most:
            self.wrong(name, f"{shown(value)} is not a whole number from {least} to {most}")
        return value

    def flag(self, name: str, default: bool) -> bool:
        value = self.get(name, default)
        if type(value) is not bool:
            self.wrong(name, f"{shown(value)} is not true or false")
        return value

    def rows(self, name: str, default: Any = _REQUIRED) -> list[Any]:
        value = self.get(name, default)
        if not isinstance(value, list):
            self.wrong(name, f"{shown(value)} is not a list")
        return value

    def instant(self, name: str) -> int:
        """Read an instant as microseconds since 1970."""
        return instant(self.get(name), self.place(name))

    def money(self, name: str, currency: str, least: int) -> int:
        """Read an amount in major units, such as "99.00", as minor units; no less than `least`."""
        value = self.get(name)
        if type(value) is float:
            self.wrong(name, f"{shown(value)} is a binary fraction; write the amount as a text")
        if type(value) not in (str, int, Decimal):
            self.wrong(name, f'{shown(value)} is not an amount; write a text such as "99.00"')
        if len(str(value)) > _LONGEST:
            self.wrong(name, f'{shown(value)} is too long for an amount; write a text such as "99.00"')
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
        raise BadScenario(f"{place}: {shown(value)} is not an instant with its zone, such as 2026-01-31T10:00:00Z")
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as problem:
        raise BadScenario(f"{place}: {shown(value)} is not an instant: {problem}") from None
    if moment.year not in YEARS:
        raise BadScenario(f"{place}: {shown(value)} is not within the years {YEARS[0]} to {YEARS[-1]}")
    return to_micros(moment)
