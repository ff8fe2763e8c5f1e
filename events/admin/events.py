"""The read-only admin of the event log."""

from django.contrib import admin

from core.admin import ReadOnlyAdmin
from events.models import Event


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    """Events, filtered by type and searched by subject or customer."""

    list_display = ["id", "type", "subject", "customer", "effective_at"]
    list_filter = ["type"]
    search_fields = ["=subject", "customer__username", "customer__email"]
    list_select_related = ["customer"]
    actions = None
