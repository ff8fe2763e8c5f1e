"""Text and numbers from outside: one normal form, and nothing in it that a reader cannot see."""

import re
import unicodedata
from typing import Any, Literal

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

# Control, format (direction marks, zero-width), surrogate, private and unassigned characters.
UNSEEN = re.compile("C[cfson]")
# Joins the parts of one emoji, and is needed in several scripts.
JOINERS = "\u200c\u200d"


def unseen_in(text: str) -> str:
    """Return the first character that must not stand in a name or a line of text, or an empty string."""
    return next((c for c in text if c not in JOINERS and UNSEEN.match(unicodedata.category(c))), "")


Form = Literal["NFC", "NFKC"]


class TextField(serializers.CharField):
    """One line of text in NFC, or in another `form` such as NFKC for what must be unique."""

    default_error_messages = {"unseen": _("A character that cannot be seen is not allowed: U+{code}.")}

    def __init__(self, *, form: Form = "NFC", **kwargs: Any) -> None:
        self.form = form
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> str:
        """Return the text in its normal form."""
        text = unicodedata.normalize(self.form, super().to_internal_value(data))
        if unseen := unseen_in(text):
            self.fail("unseen", code=f"{ord(unseen):04X}")
        return text


class WholeField(serializers.IntegerField):
    """A whole number in plain digits: not 1.0, not 1_000, not the digits of another script, not true."""

    def to_internal_value(self, data: Any) -> int:
        """Return the number."""
        if isinstance(data, bool) or not re.fullmatch("-?[0-9]{1,40}", str(data)):
            self.fail("invalid")
        return int(data)


class FlagField(serializers.BooleanField):
    """JSON's true or false: not 0 or 1, not a text that reads like one."""

    def to_internal_value(self, data: Any) -> bool:
        """Return the flag."""
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data
