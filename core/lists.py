"""Lists of the admin that stay fast whatever the length of their tables.

They never count. A page reads one row more than it shows, to know whether there is a next page. Searching takes whole
values of indexed columns, and the order is that of the admin, which has an index too.
"""

import json
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ORDER_VAR, PAGE_VAR, ChangeList
from django.contrib.auth import get_user_model
from django.db import models
from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Lower
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html

from core.list_filters import Since

# Rows behind this page are found by a filter or the search, not by turning pages: each page reads all before it.
LAST_PAGE = 100
# A longer number is no id.
DIGITS = 18


class LimitedList(ChangeList):
    """A list with a previous and a next page. `result_count` is the number of rows on the page."""

    has_next = False

    def get_results(self, request: HttpRequest) -> None:
        """Read the page. Raises IncorrectLookupParameters, upon which the admin shows the first page."""
        if not 1 <= self.page_num <= LAST_PAGE:
            raise IncorrectLookupParameters
        size = self.list_per_page
        start = (self.page_num - 1) * size
        rows: Any = self.queryset[start : start + size + 1]
        self.has_next = len(rows) > size and self.page_num < LAST_PAGE
        # Still a queryset, which a list with fields to edit needs.
        del rows._result_cache[size:]
        self.result_list: Any = rows
        self.result_count, self.full_result_count = len(self.result_list), None
        self.show_full_result_count = self.show_admin_actions = bool(rows)
        self.can_show_all = self.multi_page = False

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        """Return the order of the admin, whatever order the address asks for."""
        if not self.sortable_by:
            self.params.pop(ORDER_VAR, None)
        return super().get_ordering(request, queryset)

    @property
    def previous_url(self) -> str:
        """The query of the page before; empty on the first one."""
        return self._page(self.page_num - 1) if self.page_num > 1 else ""

    @property
    def next_url(self) -> str:
        """The query of the page after; empty on the last one."""
        return self._page(self.page_num + 1) if self.has_next else ""

    def _page(self, number: int) -> str:
        return self.get_query_string({PAGE_VAR: number} if number > 1 else {}, [PAGE_VAR])


class ListMixin(admin.ModelAdmin):
    """An admin with such a list. Customers and other rows in its columns are links, and JSON is readable."""

    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    # Columns by which nobody can sort need no index.
    sortable_by: ClassVar[Any] = ()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return LimitedList

    def get_list_display(self, request: HttpRequest) -> Any:
        """Return the columns, with links instead of the names of other rows."""
        first, *others = super().get_list_display(request)
        links = self.list_display_links or ()
        return [first, *(self._linked(name, request) if name not in links else name for name in others)]

    def get_list_select_related(self, request: HttpRequest) -> Any:
        """Return what is read with the rows: whatever the columns link to."""
        asked = super().get_list_select_related(request)
        shown = [str(name) for name in self.list_display if isinstance(self._field(name), models.ForeignKey)]
        related = [*(asked if not isinstance(asked, bool) else ()), *shown]
        return related or asked

    def get_list_filter(self, request: HttpRequest) -> Any:
        """Return the filters. One for a time shows the last day, week or month."""
        filters = super().get_list_filter(request)
        return [
            (each, Since) if isinstance(each, str) and isinstance(self._field(each), models.DateField) else each
            for each in filters
        ]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Return the rows of which a searched column is the term. Names and emails of users match in any case.

        A column is named with `=`, as in `=public_id`, and has an index. One without `=` matches in any case too.
        """
        if not (term := search_term.strip()):
            return queryset, False
        first, *others = [rows.values("pk").order_by() for rows in self._found(term)] or [queryset.none().values("pk")]
        # One index scan each: conditions on several tables joined by OR would read all rows.
        return queryset.filter(pk__in=first.union(*others) if others else first), False

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the fields, with indented JSON where nobody can edit it."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return fieldsets
        return [(title, {**options, "fields": self._once(options["fields"], request)}) for title, options in fieldsets]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the fields that nobody can edit, with those of indented JSON."""
        if obj is None or self.has_change_permission(request, obj):
            return super().get_readonly_fields(request, obj)
        names = [field.name for field in self.opts.concrete_fields if isinstance(field, models.JSONField)]
        shown = [*super().get_readonly_fields(request, obj), *(json_field(self.model, name) for name in names)]
        closed = [field.name for field in self.opts.concrete_fields if self._is_closed(field.name, request)]
        return [*shown, *(text_column(self.model, name) for name in closed)]

    def _found(self, term: str) -> Iterable[QuerySet[Any]]:
        """Yield the rows that each searched column finds."""
        rows, owners = self.model._base_manager.all(), set()
        for each in self.search_fields:
            name, is_exact = str(each).lstrip("="), str(each).startswith("=")
            path, _, last = name.rpartition("__")
            if last in ("username", "email"):
                owners.add(path)
            elif not is_exact:
                # For short tables: no index helps.
                yield rows.filter(**{f"{name}__iexact": term})
            elif not isinstance(self._field(name), models.AutoField):
                yield rows.filter(**{name: term})
            elif term.isascii() and term.isdecimal() and len(term) <= DIGITS:
                yield rows.filter(**{name: int(term)})
        for path in sorted(owners):
            yield rows.filter(**{f"{path}__in" if path else "pk__in": users_called(term)})

    def _field(self, name: Any) -> Any:
        """Return the model's field of that name; None for a computed column or one of another table."""
        fields = {field.name: field for field in self.opts.concrete_fields}
        return fields.get(name) if isinstance(name, str) else None

    def _linked(self, name: Any, request: HttpRequest) -> Any:
        if not isinstance(self._field(name), models.ForeignKey):
            return name
        return text_column(self.model, name) if self._is_closed(name, request) else link_column(self.model, name)

    def _is_closed(self, name: str, request: HttpRequest) -> bool:
        """Return whether a column refers to rows that the reader may not view: it is shown without a link."""
        field = self._field(name)
        others = self.admin_site._registry.get(field.related_model) if isinstance(field, models.ForeignKey) else None
        return others is not None and not others.has_view_permission(request)

    def _once(self, names: Iterable[Any], request: HttpRequest) -> list[Any]:
        """Return fields for reading, each once: one with JSON is among the fields and among the read-only ones."""
        shown = [self._readable(each, request) for each in names]
        return list({str(getattr(each, "__name__", each)): each for each in shown}.values())

    def _readable(self, name: Any, request: HttpRequest) -> Any:
        if isinstance(self._field(name), models.JSONField):
            return json_field(self.model, name)
        return text_column(self.model, name) if isinstance(name, str) and self._is_closed(name, request) else name


def users_called(term: str) -> QuerySet[Any]:
    """Return the ids of the users whose user name or email is `term`, whatever its case."""
    known = get_user_model()._base_manager.alias(name=Lower("username"), mail=Lower("email"))
    word = Lower(Value(term))
    return known.filter(Q(name=word) | Q(mail=word)).values("pk")


def link_column(model: Any, name: str) -> Callable[[Any], str]:
    """Return a column that links to the row of a foreign key."""
    field: Any = model._meta.get_field(name)

    @admin.display(description=field.verbose_name)
    def column(row: Any) -> str:
        return link_to(getattr(row, name))

    column.__name__ = name
    return column


def text_column(model: Any, name: str) -> Callable[[Any], str]:
    """Return a column that names the row of a foreign key without a link."""
    field: Any = model._meta.get_field(name)

    @admin.display(description=field.verbose_name)
    def column(row: Any) -> str:
        other = getattr(row, name)
        return "-" if other is None else str(other)

    column.__name__ = name
    return column


def json_field(model: Any, name: str) -> Callable[[Any], str]:
    """Return a read-only field that shows a JSON value indented."""
    field: Any = model._meta.get_field(name)

    @admin.display(description=field.verbose_name)
    def shown(row: Any) -> str:
        return format_html("<pre>{}</pre>", json.dumps(getattr(row, name), indent=2, ensure_ascii=False))

    shown.__name__ = name
    return shown


def link_to(row: Any) -> str:
    """Return a link to the admin page of a row: its name without a link if it has no page, a dash without a row.

    That of a user is the page with everything about the customer.
    """
    if row is None:
        return "-"
    is_user = isinstance(row, get_user_model())
    page = "customer" if is_user else f"{row._meta.app_label}_{row._meta.model_name}_change"
    try:
        url = reverse(f"admin:{page}", args=[row.pk])
    except NoReverseMatch:
        return str(row)
    return format_html('<a href="{}">{}</a>', url, row)
