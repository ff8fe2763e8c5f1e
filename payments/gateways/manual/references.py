"""Reference numbers of transfers: ten digits, so that they can be typed on any keyboard and read out on the phone.

The first nine are random. The last is a check digit by ISO/IEC 7064, MOD 11,10, which finds every mistyped digit.
"""

import re
import secrets

LENGTH = 10
# Digits, with spaces, hyphens and such between them, as people and banks write them.
_WRITTEN = re.compile(r"(?<!\d)\d(?:[\s.\-\u2010-\u2015\u00a0]?\d){9}(?!\d)", re.ASCII)


def new() -> str:
    """Return a random reference number; the first digit is no zero, which some forms would drop."""
    digits = str(secrets.randbelow(9 * 10 ** (LENGTH - 2)) + 10 ** (LENGTH - 2))
    return digits + _check_digit(digits)


def parse(text: str) -> str | None:
    """Return the digits of a reference number however it is spaced; None if it is none, or has a mistake."""
    found = find(text)
    return found[0] if len(found) == 1 and not re.search(r"[^\W\d]", text) else None


def find(text: str) -> list[str]:
    """Return the reference numbers in a text, such as the purpose of a payment in a bank statement."""
    candidates = (re.sub(r"\D", "", match[0]) for match in _WRITTEN.finditer(text))
    return [digits for digits in candidates if _check_digit(digits[:-1]) == digits[-1]]


def written(reference: str) -> str:
    """Return a reference number in groups: 482-109-3765."""
    return f"{reference[:3]}-{reference[3:6]}-{reference[6:]}"


def _check_digit(digits: str) -> str:
    product = 10
    for digit in digits:
        total = (int(digit) + product) % 10 or 10
        product = total * 2 % 11
    return str((11 - product) % 10)
