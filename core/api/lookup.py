"""A row that a request's body or query names: one that is not the caller's to name is an error of that parameter."""

from typing import TypeVar

from django.db.models import Model, QuerySet

from core.errors import DomainError

Row = TypeVar("Row", bound=Model)


class NotFound(DomainError):
    """The parameter names nothing of the caller's; what is somebody else's is told of in the same words."""

    code = "not_found"


def find_by_public_id(rows: QuerySet[Row], *, param: str, detail: str, public_id: str) -> Row:
    """Return the row of that public id; raise NotFound, which names `param` and says `detail`."""
    found = rows.filter(public_id=public_id).first()
    if found is None:
        raise NotFound(detail, param=param)
    return found
