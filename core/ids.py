"""Public ids: a prefix that names the kind of object, and a UUIDv7 (RFC 9562) in Crockford's base 32.

They sort by creation time and do not reveal how many objects exist.
"""

import re
from datetime import UTC, datetime, timedelta

import uuid_utils

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def new_id(prefix: str) -> str:
    """Return a new public id such as `pay_01kabc...`: the prefix, an underscore and 26 characters."""
    number = uuid_utils.uuid7().int
    return prefix + "_" + "".join(ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5))


def time_of(public_id: str) -> datetime | None:
    """Return when a public id was made, to the millisecond; None if it is no id of `new_id`."""
    match = re.fullmatch(rf"[a-z]+_([0-7][{ALPHABET}]{{25}})", public_id)
    if match is None:
        return None
    number = 0
    for letter in match[1]:
        number = number << 5 | ALPHABET.index(letter)
    # A UUIDv7 begins with 48 bits of milliseconds, then has its version.
    if number >> 76 & 15 != 7:
        return None
    try:
        return _EPOCH + timedelta(milliseconds=number >> 80)
    except OverflowError:
        return None
