"""Filters of lists that refuse what they do not know: an unknown or repeated query parameter is an error."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django_filters.rest_framework import ChoiceFilter, DjangoFilterBackend, Filter, IsoDateTimeFilter
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request

from core.api.serializers import shortened, unknown_names


def refuse_unknown_parameters(request: Request, allowed: Iterable[str]) -> None:
    """Raise ValidationError for a query parameter that is not allowed, or is given twice."""
    known = sorted(allowed)
    errors = unknown_names(request.query_params, known)
    for name, values in request.query_params.lists():
        if name in known and len(values) > 1:
            errors[name] = [ErrorDetail(_("%s is given more than once.") % name, code="repeated")]
    if errors:
        raise ValidationError(errors)


class StrictFilters(DjangoFilterBackend):
    """django-filter for the views' `filterset_class`, where an unknown filter is an error and not everybody's rows."""

    def filter_queryset(self, request: Request, queryset: QuerySet, view: Any) -> QuerySet:
        """Return the filtered rows. Raises ValidationError for unknown, repeated and unreadable parameters."""
        filters = self.get_filterset_class(view, queryset)
        pages = getattr(view, "pagination_class", None)
        detail = getattr(view, "lookup_url_kwarg", None) or getattr(view, "lookup_field", None)
        is_list = detail not in getattr(view, "kwargs", {})
        allowed = set(filters.base_filters) if filters else set()
        refuse_unknown_parameters(request, allowed | {"limit", "cursor"} if is_list and pages else allowed)
        try:
            found: QuerySet = super().filter_queryset(request, queryset, view)
        except ValidationError as error:
            raise ValidationError(_of_filters(error.detail, filters.base_filters, request)) from None
        return found


def _of_filters(errors: Any, filters: Mapping[str, Any], request: Request) -> dict[str, list[ErrorDetail]]:
    """Add to what a filter says what it allows and what was sent."""
    return {
        name: [ErrorDetail(f"{said} {_allowed(filters[name], request.query_params[name])}", said.code) for said in each]
        for name, each in errors.items()
    }


def _allowed(each: Filter, sent: str) -> str:
    if isinstance(each, ChoiceFilter):
        return _("Allowed: %s.") % ", ".join(str(value) for value, _name in each.extra["choices"])
    if isinstance(each, IsoDateTimeFilter):
        return _("Write it as %(example)s. You sent: %(sent)s") % {
            "example": "2026-03-01T00:00:00Z",
            "sent": shortened(sent),
        }
    return _("You sent: %s") % shortened(sent)
