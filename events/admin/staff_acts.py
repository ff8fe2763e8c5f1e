"""The read-only list of what staff did."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _

from core.admin import ReadOnlyAdmin
from events.models import StaffAct


class ReadingFilter(admin.SimpleListFilter):
    """Shows what staff changed, or what they only looked at."""

    title = _("what was done")
    parameter_name = "done"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return the choices of the filter."""
        return [("changed", _("changed")), ("read", _("looked at"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Return the acts of the chosen sort."""
        match self.value():
            case "changed":
                return queryset.exclude(kind__startswith="view.")
            case "read":
                return queryset.filter(kind__startswith="view.")
        return queryset


class ObjectFilter(admin.SimpleListFilter):
    """Shows the acts on one row: `?object=payments.payment:12`. There is no choice; pages of rows link here."""

    title = _("object")
    parameter_name = "object"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return the row that the address names, so that it is shown and can be taken off."""
        name = request.GET.get(self.parameter_name)
        return [(name, name)] if name else []

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Return the acts on the row. They have an index."""
        return queryset.filter(objects_touched__contains=[self.value()]) if self.value() else queryset


@admin.register(StaffAct)
class StaffActAdmin(ReadOnlyAdmin):
    """Acts of staff, by author, customer, kind and time."""

    list_display = ["created_at", "author", "shown_title", "subject", "customer", "reason", "address"]
    list_filter = [ReadingFilter, ObjectFilter, "created_at"]
    list_select_related = ["author", "customer"]
    list_display_links = ["shown_title"]
    search_fields = ["=public_id", "=kind", "author__username", "customer__username", "customer__email"]
    search_help_text = _("Kind of the act such as payment.refund, or name or email of its author or customer")
    actions = None
    fields = [
        "created_at", "author", "address", "kind", "shown_title", "subject", "customer", "reason", "result",
        "changes_shown", "public_id",
    ]  # fmt: skip
    readonly_fields = ["shown_title", "changes_shown", "public_id"]

    @admin.display(description=_("title"))
    def shown_title(self, act: StaffAct) -> str:
        """Return the title in the reader's language."""
        return act.shown_title

    @admin.display(description=_("what changed"))
    def changes_shown(self, act: StaffAct) -> str:
        """Return a table of each change before -> after."""
        return render_to_string("admin/changes.html", {"changes": act.changes})
