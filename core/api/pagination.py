"""Pages of a list: newest first, by a cursor, never by a page number that shifts while rows arrive."""

import re
from typing import Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import APIException, ErrorDetail, ValidationError
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.serializers import shortened
from core.errors import DomainError

# A primary key: bigint, written without leading zeros; 18 digits are below its end.
POSITION = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)


class InvalidCursor(DomainError):
    """A cursor that we did not give out."""

    code = "invalid_cursor"
    param = "cursor"


class CursorPages(CursorPagination):
    """`limit` 1 to 100, `cursor` opaque; answers `results`, `next`, `previous`.

    A view may set `empty_detail`: what an empty list says about itself, beside the empty results.
    """

    ordering = "-id"
    page_size = 20
    max_page_size = 100
    page_size_query_param = "limit"
    # The order is by a unique column, so an offset is never needed; one in a cursor was put there by hand.
    offset_cutoff = 0

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any] | None:
        """Return the rows of the page asked for. Raises ValidationError for a limit, InvalidCursor for a cursor."""
        self.empty_detail = getattr(view, "empty_detail", None)
        return super().paginate_queryset(queryset, request, view)

    def get_page_size(self, request: Request) -> int:
        """Return `limit`. Raises ValidationError outside 1 to 100: a silent cap would look like the end of the list."""
        sent = request.query_params.get("limit")
        if sent is None:
            return self.page_size
        if not (sent.isascii() and sent.isdigit() and len(sent) <= 3 and 1 <= int(sent) <= self.max_page_size):
            said = _("limit is 1 to %(most)d; you sent %(sent)s.") % {
                "most": self.max_page_size,
                "sent": shortened(sent),
            }
            raise ValidationError({"limit": [ErrorDetail(said, code="out_of_range")]})
        return int(sent)

    def decode_cursor(self, request: Request) -> Cursor | None:
        """Return the cursor sent, checked to be a position in this list."""
        sent = request.query_params.get("cursor")
        if sent is None:
            return None
        try:
            cursor = super().decode_cursor(request)
            if cursor is None or cursor.offset or not POSITION.fullmatch(str(cursor.position or "")):
                raise ValueError(sent)
        except (ValueError, APIException) as error:
            said = _("The cursor %s was not given out here. Follow `next` or leave it out.") % shortened(sent)
            raise InvalidCursor(said) from error
        return cursor

    def get_paginated_response(self, data: list[Any]) -> Response:
        """Return the page as an answer."""
        page = {"results": data, "next": self.get_next_link(), "previous": self.get_previous_link()}
        return Response(page if data or not self.empty_detail else {"detail": str(self.empty_detail), **page})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Return the page's shape for OpenAPI."""
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["results", "next", "previous"],
            "properties": {
                "results": schema,
                "next": link,
                "previous": link,
                "detail": {"type": "string", "description": "Only beside an empty list."},
            },
        }
