"""Public ids: a prefix that says what the thing is, and a UUIDv7 (RFC 9562) in Crockford's base 32.

They sort by the time they were made and tell nothing about how many there are.
"""

import uuid_utils

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def new_id(prefix: str) -> str:
    """Return a fresh public id such as `pay_01kabc...`: the prefix and 26 characters."""
    number = uuid_utils.uuid7().int
    return prefix + "_" + "".join(ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5))
