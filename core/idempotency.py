"""Run a request once: find the row it already made by its key, and refuse the key for a different request.

A key comes from the API's `Idempotency-Key`, from a form's hidden field or from the id of a cause. The row that the
request makes stores the key and a fingerprint of the request (core.models.MadeOnce). core.api.idempotency adds the
HTTP side and stores the whole answer.
"""

import hashlib
import json
from typing import Any, Literal, TypeVar

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from core.errors import DomainError
from core.models import MadeOnce

Row = TypeVar("Row", bound=MadeOnce)
Source = Literal["api", "form", "cause"]


class KeyReused(DomainError):
    """The key was used by a different request before."""

    code = "idempotency_key_reused"
    param = "Idempotency-Key"

    def __init__(self) -> None:
        super().__init__(
            _("This Idempotency-Key was already used for another request. Use a new key for a new request.")
        )


def key_of(source: Source, value: str | None) -> str | None:
    """Return the stored form of a key, 64 characters, or None without a key. The same value differs by source."""
    return hashlib.sha256(f"{source}:{value}".encode()).hexdigest() if value else None


def fingerprint(**terms: Any) -> str:
    """Return the fingerprint of a request's values, 64 characters. The order of keys does not matter."""
    return hashlib.sha256(json.dumps(terms, sort_keys=True, default=str).encode()).hexdigest()


def find(rows: QuerySet[Row], key: str | None, *, fingerprint: str) -> Row | None:
    """Return the row that the request with this key made, or None; raise KeyReused if it was a different request."""
    made = rows.filter(idempotency_key=key)
    # Nearly every key is new, and a look that reads no row takes half of the time.
    row = made.first() if key and made.exists() else None
    if row is not None and row.fingerprint != fingerprint:
        raise KeyReused
    return row
