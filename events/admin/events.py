"""The read-only admin of the event log."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from core.admin import ReadOnlyAdmin
from core.list_filters import known
from events.mails import kinds
from events.models import Event
from events.names import event_name


def event_types() -> list[str]:
    """Return the types of events that mails are made from."""
    return sorted({name for kind in kinds.every() for name in kind.events})


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    """Events, filtered by type and searched by subject or customer."""

    list_display = ["id", "named", "subject", "customer", "type", "effective_at"]
    list_filter = [known("type", _("type"), event_types), "created_at"]
    search_help_text = _("Id of the object, or the customer's user name or email")
    search_fields = ["=subject", "customer__username", "customer__email"]
    list_select_related = ["customer"]
    actions = None
    readonly_fields = ["named"]

    def get_fields(self, request: HttpRequest, obj: Event | None = None) -> Any:
        """Say first what happened."""
        return list(dict.fromkeys(["named", *super().get_fields(request, obj)]))

    @admin.display(description=_("what happened"))
    def named(self, event: Event) -> str:
        """Return its type in words."""
        return event_name(event.type)
