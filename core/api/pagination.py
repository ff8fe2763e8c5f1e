"""Cursor pagination, newest first. Page numbers would shift while rows arrive."""

import re
from typing import Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import APIException, ErrorDetail, ValidationError
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.serializers import shortened
from core.errors import DomainError

# A primary key without leading zeros. 18 digits always fit into bigint.
POSITION = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)


class InvalidCursor(DomainError):
    """The cursor is not one that the API returned."""

    code = "invalid_cursor"
    param = "cursor"


class CursorPages(CursorPagination):
    """Pages of `results` with links `next` and `previous`; parameters `limit` (1 to 100) and an opaque `cursor`.

    A view may set `empty_detail`, the `detail` of an empty list.
    """

    ordering = "-id"
    page_size = 20
    max_page_size = 100
    page_size_query_param = "limit"
    # The list is ordered by a unique column, so our cursors never hold an offset.
    offset_cutoff = 0

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any] | None:
        """Return the rows of the requested page; raise ValidationError or InvalidCursor."""
        self.empty_detail = getattr(view, "empty_detail", None)
        return super().paginate_queryset(queryset, request, view)

    def get_page_size(self, request: Request) -> int:
        """Return `limit`; raise ValidationError outside 1 to 100: a silent cap would look like the end of the list."""
        sent = request.query_params.get("limit")
        if sent is None:
            return self.page_size
        if not (sent.isascii() and sent.isdigit() and len(sent) <= 3 and 1 <= int(sent) <= self.max_page_size):
            message = _("limit must be from 1 to %(most)d. You sent %(sent)s.") % {
                "most": self.max_page_size,
                "sent": shortened(sent),
            }
            raise ValidationError({"limit": [ErrorDetail(message, code="out_of_range")]})
        return int(sent)

    def decode_cursor(self, request: Request) -> Cursor | None:
        """Return the request's cursor; raise InvalidCursor unless it is a position in a list."""
        sent = request.query_params.get("cursor")
        if sent is None:
            return None
        try:
            cursor = super().decode_cursor(request)
            if cursor is None or cursor.offset or not POSITION.fullmatch(str(cursor.position or "")):
                raise ValueError(sent)
        except (ValueError, APIException) as error:
            message = _("The cursor %s is invalid. Use the link in `next`, or omit it.") % shortened(sent)
            raise InvalidCursor(message) from error
        return cursor

    def get_paginated_response(self, data: list[Any]) -> Response:
        """Return the response for a page."""
        page = {"results": data, "next": self.get_next_link(), "previous": self.get_previous_link()}
        return Response(page if data or not self.empty_detail else {"detail": str(self.empty_detail), **page})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Return the OpenAPI schema of a page."""
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["results", "next", "previous"],
            "properties": {
                "results": schema,
                "next": link,
                "previous": link,
                "detail": {"type": "string", "description": "Only for an empty list."},
            },
        }
