"""Look up a row by the public id in a request; raise a field error if it is absent or not the caller's."""

from typing import TypeVar

from django.db.models import Model, QuerySet

from core.errors import DomainError

Row = TypeVar("Row", bound=Model)


class NotFound(DomainError):
    """The caller has no object with this id. Somebody else's object gives the same answer."""

    code = "not_found"


def find_by_public_id(rows: QuerySet[Row], *, param: str, detail: str, public_id: str) -> Row:
    """Return the row with this public id; raise NotFound with `param` and `detail`."""
    row = rows.filter(public_id=public_id).first()
    if row is None:
        raise NotFound(detail, param=param)
    return row
