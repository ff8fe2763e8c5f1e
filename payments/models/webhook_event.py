"""The webhook events that gateways send."""

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class WebhookEvent(models.Model):
    """A verified webhook. Only a hint: processing checks the object it names at the gateway."""

    class Status(models.TextChoices):
        RECEIVED = "received", _("received")
        PROCESSED = "processed", _("processed")
        # Could not be processed: the object is not known (yet), or there was no answer. Retried, never dropped.
        PARKED = "parked", _("parked")
        IGNORED = "ignored", _("ignored")

    gateway = models.CharField(max_length=20)
    event_id = models.CharField(max_length=120)
    type = models.CharField(max_length=80)
    # What it is about (gateways.base.Subject), and the gateway's id of that object; both may be empty.
    subject = models.CharField(max_length=10, default="", blank=True)
    gateway_id = models.CharField(max_length=120)
    payload = models.JSONField()
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.RECEIVED)
    # The result of the last processing, in a sentence for staff.
    outcome = models.CharField(max_length=300, default="", blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    received_at = models.DateTimeField()
    processed_at = models.DateTimeField(null=True)
    # When the sweep tries it next; null once it is done or given up.
    next_try_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["gateway", "event_id"], name="webhook_event_is_stored_once")]
        indexes = [
            BrinIndex(fields=["received_at"], name="webhook_event_by_time"),
            models.Index(fields=["next_try_at"], condition=Q(next_try_at__isnull=False), name="webhook_event_due"),
            # A customer's page shows what came about the customer's payments.
            models.Index(fields=["gateway_id", "-id"], name="webhook_event_by_object"),
            # What waits for staff is counted every few seconds (billing_site.status).
            models.Index(fields=["id"], condition=Q(status="parked"), name="webhook_event_parked"),
        ]

    def __str__(self) -> str:
        return f"{self.gateway} {self.type} {self.event_id}"
