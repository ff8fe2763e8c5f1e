"""What gateways told us: stored once, answered, then processed from the row."""

from django.db import models
from django.db.models import Q


class WebhookEvent(models.Model):
    """A verified notification. Treated as a hint: processing fetches the object it names."""

    class Status(models.TextChoices):
        RECEIVED = "received", "received"
        PROCESSED = "processed", "processed"
        # For a payment we do not know (yet), or one that waits for staff. Retried, never dropped.
        PARKED = "parked", "parked"
        IGNORED = "ignored", "ignored"

    gateway = models.CharField(max_length=20)
    event_id = models.CharField(max_length=120)
    type = models.CharField(max_length=80)
    # The gateway's id of what it is about.
    gateway_id = models.CharField(max_length=120)
    payload = models.JSONField()
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.RECEIVED)
    # What processing came to, in words for staff.
    outcome = models.CharField(max_length=300, default="", blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    received_at = models.DateTimeField()
    processed_at = models.DateTimeField(null=True)
    # The sweeper takes it up at this instant; null: done.
    next_try_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["gateway", "event_id"], name="webhook_event_is_stored_once")]
        indexes = [
            models.Index(fields=["next_try_at"], condition=Q(next_try_at__isnull=False), name="webhook_event_due"),
        ]

    def __str__(self) -> str:
        return f"{self.gateway} {self.type} {self.event_id}"
