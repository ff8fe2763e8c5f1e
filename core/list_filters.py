"""Filters of the admin's lists that read no table to know their choices."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

SPANS = {"1": _("last 24 hours"), "7": _("last 7 days"), "30": _("last 30 days")}


class Since(admin.FieldListFilter):
    """Filters by a time: the last 24 hours, 7 or 30 days. The column needs an index; BRIN is enough."""

    def __init__(
        self, field: Any, request: HttpRequest, params: Any, model: Any, model_admin: Any, field_path: str
    ) -> None:
        self.parameter = f"{field_path}__since"
        super().__init__(field, request, params, model, model_admin, field_path)
        asked: Any = self.used_parameters.get(self.parameter) or [""]
        self.days = asked[-1]

    def expected_parameters(self) -> list[str | None]:
        return [self.parameter]

    def choices(self, changelist: Any) -> Any:
        """Yield the spans."""
        for days, title in {"": _("Any time"), **SPANS}.items():
            query = {self.parameter: days} if days else {}
            yield {
                "selected": self.days == days, "display": title,
                "query_string": changelist.get_query_string(query, [self.parameter]),
            }  # fmt: skip

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the rows since then."""
        if self.days not in SPANS:
            return queryset
        return queryset.filter(**{f"{self.field_path}__gte": Now() - timedelta(days=int(self.days))})


def known(field: str, name: str | Promise, values: Callable[[], Iterable[str]]) -> type[admin.SimpleListFilter]:
    """Return a filter of a column by values that are known without reading its table."""

    class Known(admin.SimpleListFilter):
        title, parameter_name = name, field  # type: ignore[assignment]

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
            return [(value, value) for value in values()]

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            return queryset.filter(**{field: self.value()}) if self.value() else queryset

    return Known


def present(field: str, name: str | Promise) -> Any:
    """Return a filter of the rows in which a column has a value, or has none: neither null nor an empty text."""

    class Present(admin.EmptyFieldListFilter):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self.title = str(name)

        def choices(self, changelist: Any) -> Any:
            for value, text in ((None, _("All")), ("0", _("Yes")), ("1", _("No"))):
                query = changelist.get_query_string({self.lookup_kwarg: value} if value else {}, [self.lookup_kwarg])
                yield {"selected": self.lookup_val == value, "query_string": query, "display": text}

    return (field, Present)
