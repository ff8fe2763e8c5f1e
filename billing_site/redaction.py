"""Remove secrets from logs: keys, tokens, passwords and card numbers, found by name or by shape.

What PostgreSQL adds to an error quotes whole rows, so that goes too.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_plus

GONE = "[redacted]"

# A value with such a name is secret, whatever it looks like.
NAME = r"authorization|cookie|passw|passphrase|secret|token|(?:api|signing)_?key|signature|card_?number"
SECRET_NAME = re.compile(rf"{NAME}|^(?:key|otp|pan|cv[cv]2?)$", re.IGNORECASE)

# Text that looks like this is secret anywhere. The first group is kept.
SECRET_SHAPES = [
    re.compile(r"()\b(?:sk|rk|pk|bk)_(?:live|test)_\w+"),
    re.compile(r"()\bwhsec_[\w+/=-]+"),
    # Hashes of passwords, as Django and its hashers write them.
    re.compile(r"()(?:\$argon2|\bargon2|\bpbkdf2_|\bbcrypt|\bscrypt)\w*\$[\w$=,+/.-]+"),
    re.compile(r"()\beyJ[\w-]{8,}(?:\.[\w-]+){0,2}"),
    re.compile(r"(\b(?:bearer|basic|token)\s+)[\w.+/=~-]{8,}", re.IGNORECASE),
    # A name and its value, in a query, a form, a header, JSON or Python.
    re.compile(
        rf"""((?:(?:{NAME})[\w\]]{{0,20}}|\b(?:code|otp|pan|cv[cv]2?))["']?\s*[=:]\s*(?:(?:bearer|basic|token)\s+)?)"""
        r"""(?:"[^"\n]*"|'[^'\n]*'|["']?[^\s"'&,;}]+)""",
        re.IGNORECASE,
    ),
    # A password in the URL of a server, and the secret part of a link in our mails.
    re.compile(r"(://[^/\s:@]*:)[^/\s@]+(?=@)"),
    re.compile(r"(/(?:reset/key|confirm-email)/)[^/\s?]+"),
]

# What follows the first line of PostgreSQL's error, in English or Russian, whose values may have line breaks of their
# own: all up to the next part of a traceback. Also in the text of an exception that was put on one line.
ROWS = re.compile(
    r"((?:DETAIL|CONTEXT|HINT|QUERY|LINE \d+|ПОДРОБНОСТИ|КОНТЕКСТ|ПОДСКАЗКА|ЗАПРОС|СТРОКА \d+):\s*).*?"
    r"(?=\n+(?:The above exception was the direct cause|During handling of the above|Traceback \(most recent)|\Z)",
    re.DOTALL,
)

# 13 to 19 digits, perhaps in groups, with the first digit of a payment card (ISO/IEC 7812), which no timestamp has.
CARD = re.compile(r"(?<![\w.-])[2-6]\d(?:[ -]?\d){11,17}(?![\w-]|\.\d)", re.ASCII)

WORD = re.compile(r"\S+")


def without_secrets(value: Any, name: str = "") -> Any:
    """Return `value` with every secret in it replaced, at any depth. Other objects become text first."""
    if isinstance(value, bool | int | float | None):
        return value
    if name and SECRET_NAME.search(name):
        return GONE
    if isinstance(value, Mapping):
        return {str(key): without_secrets(item, str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [without_secrets(item) for item in value]
    return _redacted(WORD.sub(_decoded_once, str(value)))


def said(error: BaseException) -> str:
    """Return an error on one line without secrets, such as `OperationalError: the connection is lost`."""
    return " ".join(str(without_secrets(f"{type(error).__name__}: {error}")).split())


def _decoded_once(word: re.Match[str]) -> str:
    """Replace a whole word that contains a secret once it is URL-decoded."""
    plain = unquote_plus(word[0])
    return GONE if plain != word[0] and _redacted(plain) != plain else word[0]


def _redacted(text: str) -> str:
    text = ROWS.sub(rf"\g<1>{GONE}", text)
    for shape in SECRET_SHAPES:
        text = shape.sub(rf"\g<1>{GONE}", text)
    return CARD.sub(lambda found: GONE if _luhn(found[0]) else found[0], text)


def _luhn(number: str) -> bool:
    """Return whether the check digit is right (ISO/IEC 7812-1, annex B)."""
    digits = [int(sign) for sign in reversed(number) if sign.isdigit()]
    return sum(sum(divmod(digit * (1 + place % 2), 10)) for place, digit in enumerate(digits)) % 10 == 0
