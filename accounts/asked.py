"""What a request asked for, folded into a mark that is kept beside what it made.

A key by which a request is known again (an Idempotency-Key, the hidden field of a form) finds what was made for it. The
mark says whether the second request is the first one again, or another that came with the first one's key.
"""

import hashlib
import json
from typing import Any

from django.utils.translation import gettext as _

from accounts.errors import DomainError


class KeyReused(DomainError):
    """The key came with another request before."""

    code = "idempotency_key_reused"
    param = "Idempotency-Key"

    def __init__(self) -> None:
        super().__init__(_("This Idempotency-Key came with another request before. Use a new key for a new request."))


def mark(**terms: Any) -> str:
    """Return what tells one set of terms from another, in 64 characters."""
    return hashlib.sha256(json.dumps(terms, sort_keys=True).encode()).hexdigest()


def check(kept: str | None, asked: str) -> None:
    """Raise KeyReused when the mark that was kept is of other terms. None: made before marks were kept."""
    if kept not in (None, asked):
        raise KeyReused
