"""Strict serializer fields: text in one normal form without invisible characters, plain integers, true or false."""

import re
import unicodedata
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Literal

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

# Control, format (direction marks, zero-width), surrogate, private and unassigned characters; separators of lines.
INVISIBLE = re.compile("C[cfson]|Z[lp]")
# Zero-width joiners: they join the parts of an emoji and are needed in several scripts.
JOINERS = "\u200c\u200d"


# Far beyond every bound of a field; a larger number would take long to write out.
MOST_WHOLE = 10**18
Form = Literal["NFC", "NFKC"]


def first_invisible(text: str) -> str:
    """Return the first invisible character other than a joiner, or an empty string."""
    return next((c for c in text if c not in JOINERS and INVISIBLE.match(unicodedata.category(c))), "")


class StringField(serializers.CharField):
    """A JSON string: not a number, which DRF would turn into text, so that 007 becomes 7."""

    def to_internal_value(self, data: Any) -> str:
        """Return the text."""
        if not isinstance(data, str):
            self.fail("invalid")
        text: str = super().to_internal_value(data)
        return text


class TextField(StringField):
    """One line of text in Unicode form NFC, or in `form`: NFKC for text that must be unique."""

    default_error_messages = {"unseen": _("Invisible characters are not allowed: U+{code}.")}

    def __init__(self, *, form: Form = "NFC", **kwargs: Any) -> None:
        self.form = form
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> str:
        """Return the text in its normal form; fail on an invisible character."""
        text = unicodedata.normalize(self.form, super().to_internal_value(data))
        if invisible := first_invisible(text):
            self.fail("unseen", code=f"{ord(invisible):04X}")
        return text


class DayOrTimeField(serializers.DateTimeField):
    """A time with its offset, or a day in UTC: its first moment, or with `is_end` the first one after it."""

    DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")

    def __init__(self, *, is_end: bool = False, **kwargs: Any) -> None:
        self.is_end = is_end
        super().__init__(**kwargs)

    def to_internal_value(self, value: Any) -> datetime:
        """Return the moment; fail on one that no calendar has."""
        try:
            if not isinstance(value, str) or not self.DAY.fullmatch(value):
                moment: datetime = super().to_internal_value(value)
                return moment.astimezone(UTC)
            day = datetime.combine(date.fromisoformat(value), time(), tzinfo=UTC)
            return day + timedelta(days=1) if self.is_end else day
        except (ValueError, OverflowError):
            self.fail("invalid", format="2026-03-01, 2026-03-01T00:00:00Z")


class WholeField(serializers.IntegerField):
    """An integer: plain digits, not 1_000, true, or the digits of another script; 1.0 is one in JSON, "1.0" is not."""

    def to_internal_value(self, data: Any) -> int:
        """Return the number."""
        if (
            isinstance(data, Decimal)
            and data.is_finite()
            and abs(data) < MOST_WHOLE
            and data == data.to_integral_value()
        ):
            return int(data)
        if isinstance(data, bool) or not re.fullmatch("-?[0-9]{1,40}", str(data)):
            self.fail("invalid")
        return int(data)


class FlagField(serializers.BooleanField):
    """JSON's true or false: not 0 or 1, not a string such as "true"."""

    def to_internal_value(self, data: Any) -> bool:
        """Return the flag."""
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class ChoicesField(serializers.MultipleChoiceField):
    """A JSON list of choices: not an object, whose names DRF would read."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the set of the choices."""
        if not isinstance(data, list):
            self.fail("not_a_list", input_type=type(data).__name__)
        sent: Any = data
        return super().to_internal_value(sent)
