"""Checks and normal forms of input: repeated JSON keys, characters that cannot be stored, names in one form."""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import Any

# NUL and lone surrogates, which PostgreSQL cannot store.
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def repeated_key(pairs: Sequence[tuple[str, Any]]) -> str | None:
    """Return the first key that occurs more than once in the pairs of a JSON object, or None."""
    counts = Counter(key for key, _value in pairs)
    return next((key for key in counts if counts[key] > 1), None)


def normalize(text: str) -> str:
    """Return the form (NFKC, stripped) in which a user name or an email address is stored and looked up."""
    return unicodedata.normalize("NFKC", text).strip()
