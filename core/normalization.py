"""What JSON from outside must not hold, whoever reads it: a key given twice, or text that a table cannot keep."""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import Any

# NUL and halves of surrogate pairs: PostgreSQL keeps neither.
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def given_twice(pairs: Sequence[tuple[str, Any]]) -> str | None:
    """Return the first key of an object's pairs that is there more than once, or None."""
    times = Counter(name for name, _value in pairs)
    return next((name for name in times if times[name] > 1), None)


def normal(text: str) -> str:
    """Return the one form under which a name or an address is stored and looked up."""
    return unicodedata.normalize("NFKC", text).strip()
