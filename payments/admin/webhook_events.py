"""Read-only admin of webhook events, with the act that has them processed again."""

import json
from datetime import datetime

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from core.rehearsal import NOTHING, Fact, Facts
from events.admin.chosen import ChosenPages
from events.admin.review import ActForm, Result
from events.admin.trace import reason_field
from payments.admin.lists import StatusAdmin, gateway_filter
from payments.models import WebhookEvent
from payments.webhooks import process


class ProcessAgainForm(ActForm):
    """The processing of an event once more. Nothing is credited twice."""

    title, kind, permission = _("Process again"), "webhookevent.replay", "payments.change_webhookevent"
    effect = _("We ask the gateway about what has happened and apply its answer. Nothing is credited twice.")

    reason = reason_field()

    @property
    def event(self) -> WebhookEvent:
        """The event as it was when the page was asked for."""
        event: WebhookEvent = self.row
        return event

    def facts(self, *, now: datetime) -> Facts:
        """Return how far the event is."""
        event = WebhookEvent.objects.get(pk=self.event.pk)
        return {
            "status": Fact(gettext("Status"), event.get_status_display()),
            "tries": Fact(gettext("Tries"), str(event.tries)),
            "outcome": Fact(gettext("Outcome"), event.outcome or NOTHING),
        }

    def carry_out(self, by: User, *, now: datetime) -> Result:
        """Make it due, whatever became of it before."""
        process.replay([self.event.pk], now=now)
        return Result(gettext("Event %s is processed again.") % self.event.event_id)

    def finish(self, result: Result, *, now: datetime) -> Result:
        """Process it now, unless a worker already does."""
        if not result.is_news or (event := process.process(self.event.pk, now=now)) is None:
            return result
        words = {"id": event.event_id, "state": event.get_status_display(), "outcome": event.outcome}
        return Result(gettext("Event %(id)s is %(state)s. %(outcome)s") % words)


@admin.register(WebhookEvent)
class WebhookEventAdmin(ChosenPages, StatusAdmin):
    """Webhook events with the result of their processing."""

    list_display = ["event_id", "gateway", "type", "gateway_id", "status_tag", "outcome", "tries", "received_at"]
    list_filter = ["status", gateway_filter(), "received_at"]
    search_fields = ["=event_id", "=gateway_id"]
    search_help_text = _("Id of the event, or of the gateway's payment")
    acts = {"process-again": ProcessAgainForm}
    bulk = ["process-again"]
    exclude = ["payload"]
    readonly_fields = ["payload_shown"]

    @admin.display(description=_("payload"))
    def payload_shown(self, event: WebhookEvent) -> SafeString:
        """Return the payload as indented JSON."""
        return format_html("<pre>{}</pre>", json.dumps(event.payload, indent=2, ensure_ascii=False))
