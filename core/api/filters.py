"""Strict list filters: an unknown, empty or repeated query parameter is an error."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django_filters.rest_framework import ChoiceFilter, DjangoFilterBackend, Filter, IsoDateTimeFilter
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request

from core.api.serializers import shortened, unknown_names

# core.api.pagination refuses these if they are empty.
PAGE = ("limit", "cursor")


def refuse_unknown_parameters(request: Request, allowed: Iterable[str]) -> None:
    """Raise ValidationError for each query parameter that is not allowed, is empty or is given more than once."""
    known = sorted(allowed)
    errors = unknown_names(request.query_params, known)
    for name, values in request.query_params.lists():
        if name in known and len(values) > 1:
            errors[name] = [ErrorDetail(_("%s is given more than once.") % name, code="repeated")]
        elif name in known and not values[0] and name not in PAGE:
            errors[name] = [ErrorDetail(_("%s is empty. Omit it, or give it a value.") % name, code="blank")]
    if errors:
        raise ValidationError(errors)


class StrictFilters(DjangoFilterBackend):
    """django-filter's backend, except that an unknown filter is an error instead of being ignored."""

    def filter_queryset(self, request: Request, queryset: QuerySet, view: Any) -> QuerySet:
        """Return the filtered rows; raise ValidationError for unknown, repeated and invalid parameters."""
        filters = self.get_filterset_class(view, queryset)
        pages = getattr(view, "pagination_class", None)
        detail = getattr(view, "lookup_url_kwarg", None) or getattr(view, "lookup_field", None)
        is_list = detail not in getattr(view, "kwargs", {})
        allowed = set(filters.base_filters) if filters else set()
        refuse_unknown_parameters(request, allowed | set(PAGE) if is_list and pages else allowed)
        try:
            rows: QuerySet = super().filter_queryset(request, queryset, view)
        except ValidationError as error:
            raise ValidationError(_add_details(error.detail, filters.base_filters, request)) from None
        return rows


def _add_details(errors: Any, filters: Mapping[str, Any], request: Request) -> dict[str, list[ErrorDetail]]:
    """Add to each filter's messages what it allows or what was sent."""
    details = {name: _detail(filters[name], request.query_params[name]) for name in errors}
    return {
        name: [ErrorDetail(f"{message} {details[name]}", message.code) for message in messages]
        for name, messages in errors.items()
    }


def _detail(rule: Filter, sent: str) -> str:
    if isinstance(rule, ChoiceFilter):
        return _("Allowed: %s.") % ", ".join(str(value) for value, _name in rule.extra["choices"])
    if isinstance(rule, IsoDateTimeFilter):
        return _("Use this format: %(example)s. You sent: %(sent)s") % {
            "example": "2026-03-01T00:00:00Z",
            "sent": shortened(sent),
        }
    return _("You sent: %s") % shortened(sent)
