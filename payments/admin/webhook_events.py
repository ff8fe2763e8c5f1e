"""Read-only admin of webhook events, with replay."""

import json

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from payments.admin.lists import StatusAdmin, gateway_filter
from payments.models import WebhookEvent
from payments.webhooks import replays


@admin.register(WebhookEvent)
class WebhookEventAdmin(StatusAdmin):
    """Webhook events with the result of their processing."""

    list_display = ["event_id", "gateway", "type", "gateway_id", "status_tag", "outcome", "tries", "received_at"]
    list_filter = ["status", gateway_filter(), "received_at"]
    search_fields = ["=event_id", "=gateway_id"]
    search_help_text = _("Id of the event, or of the gateway's payment")
    actions = ["replay"]
    exclude = ["payload"]
    readonly_fields = ["payload_shown"]

    @admin.display(description=_("payload"))
    def payload_shown(self, event: WebhookEvent) -> SafeString:
        """Return the payload as indented JSON."""
        return format_html("<pre>{}</pre>", json.dumps(event.payload, indent=2, ensure_ascii=False))

    @admin.action(description=_("Process again"), permissions=["act"])
    def replay(self, request: HttpRequest, queryset: QuerySet[WebhookEvent]) -> None:
        """Process the events again. Nothing is credited twice."""
        run = replays.replay(queryset.order_by("received_at", "id").values_list("pk", flat=True), now=timezone.now())
        for event in run.events:
            self.log_change(
                request, event, f"{gettext('Process again')}: {event.get_status_display()}. {event.outcome}"
            )
        said = ngettext("%d event was processed again.", "%d events were processed again.", run.total) % run.total
        level = messages.SUCCESS
        if run.parked:
            left = ngettext("%d is parked: see its outcome.", "%d are parked: see their outcomes.", len(run.parked))
            said, level = f"{said} {left % len(run.parked)}", messages.WARNING
        self.message_user(request, said, level)
