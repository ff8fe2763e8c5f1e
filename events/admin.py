"""The event log for staff to read."""

from django.contrib import admin

from core.admin import ReadOnlyAdmin
from events.models import Event


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    """What happened to whom."""

    list_display = ["id", "type", "subject", "customer", "effective_at"]
    list_filter = ["type"]
    search_fields = ["=subject", "customer__username", "customer__email"]
    list_select_related = ["customer"]
    actions = None
