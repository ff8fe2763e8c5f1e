"""Public ids: a prefix that names the kind of object, and a UUIDv7 (RFC 9562) in Crockford's base 32.

They sort by creation time and do not reveal how many objects exist.
"""

import uuid_utils

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def new_id(prefix: str) -> str:
    """Return a new public id such as `pay_01kabc...`: the prefix, an underscore and 26 characters."""
    number = uuid_utils.uuid7().int
    return prefix + "_" + "".join(ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5))
