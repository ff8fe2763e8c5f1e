"""Take out of a text or a structure what must stand in no log: keys, tokens, passwords, card numbers."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_plus

GONE = "[redacted]"

# Named so, whatever is in it is nobody's business.
SECRET_NAME = re.compile(
    r"authorization|cookie|passw|passphrase|secret|token$|^token|api_?key|signing_?key|signature|^key$|^otp$"
    r"|card_?number|^pan$|^cv[cv]2?$",
    re.IGNORECASE,
)

# Looks so, wherever it stands. The first group, if there is one, is kept.
SECRET_SHAPES = [
    re.compile(r"()\b(?:sk|rk|pk|bk)_(?:live|test)_\w+"),
    re.compile(r"()\bwhsec_[\w+/=-]+"),
    re.compile(r"()\beyJ[\w-]{8,}(?:\.[\w-]+){0,2}"),
    re.compile(r"(\b(?:bearer|basic|token)\s+)[\w.+/=~-]{8,}", re.IGNORECASE),
    re.compile(
        r"""(\b(?:password|passwd|secret|token|api_?key|code)["']?\s*[=:]\s*["']?)[^\s"'&,;}]+""", re.IGNORECASE
    ),
    re.compile(r"(://[^/\s:@]*:)[^/\s@]+(?=@)"),
    re.compile(r"(/(?:reset/key|confirm-email)/)[^/\s?]+"),
]

# A name and its value in an address's query or a form, and any word in which something is percent-encoded.
PAIR = re.compile(r"""(?<![^?&;"'])([^\s?&;="']+)=([^\s?&;#"'<>]+(?:\?[^\s&;#"'<>]*)?)""")
ENCODED = re.compile(r"""(?<![^\s?&;="'/])[^\s?&;="'/%]*%[0-9A-Fa-f]{2}[^\s?&;="'/]*""")
# What is encoded more often than that hides something.
MOST_DECODED = 3

# 13 to 19 digits, perhaps in groups, beginning as payment cards do (ISO/IEC 7812); so no clock reading is meant.
CARD = re.compile(r"(?<![\w.-])[2-6]\d(?:[ -]?\d){11,17}(?![\w-]|\.\d)", re.ASCII)


def without_secrets(value: Any, name: str = "") -> Any:
    """Return `value` with every secret in it replaced, however deep. Other objects are taken as their text."""
    if isinstance(value, bool | int | float | None):
        return value
    if name and SECRET_NAME.search(name):
        return GONE
    if isinstance(value, Mapping):
        return {str(key): without_secrets(item, str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [without_secrets(item) for item in value]
    return _text(str(value))


def _text(text: str, decoded: int = 0) -> str:
    text = PAIR.sub(lambda found: f"{found[1]}={GONE}" if _is_secret(found[1], found[2], decoded) else found[0], text)
    text = ENCODED.sub(lambda found: GONE if _is_secret("", found[0], decoded) else found[0], text)
    for shape in SECRET_SHAPES:
        text = shape.sub(rf"\g<1>{GONE}", text)
    return CARD.sub(lambda found: GONE if _luhn(found[0]) else found[0], text)


def _is_secret(name: str, value: str, decoded: int) -> bool:
    """Return whether the name says so, or a secret comes out when both are decoded, as often as it takes."""
    plain_name, plain = unquote_plus(name), unquote_plus(value)
    if plain_name and SECRET_NAME.search(plain_name):
        return True
    if (plain_name, plain) == (name, value):
        return False
    pair = f"{plain_name}={plain}" if name else plain
    return decoded == MOST_DECODED or _text(pair, decoded + 1) != pair


def _luhn(number: str) -> bool:
    """Return whether the check digit fits (ISO/IEC 7812-1, annex B)."""
    digits = [int(sign) for sign in reversed(number) if sign.isdigit()]
    return sum(sum(divmod(digit * (1 + place % 2), 10)) for place, digit in enumerate(digits)) % 10 == 0
