"""The event log. Each event is written in the transaction that makes it true."""

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models.functions import Now


class Event(models.Model):
    """Something that happened to a customer. Append-only; mails and outbound webhooks are made from events.

    Only events.outbox writes it.
    """

    # No index of its own: event_by_customer begins with this column.
    customer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="events", db_index=False
    )
    # Such as `subscription.renewed`, `payment.confirmed`.
    type = models.CharField(max_length=60)
    # Public id of the object concerned: `sub_...`, `pay_...`.
    subject = models.CharField(max_length=40)
    data = models.JSONField(default=dict)
    # When it took effect by the rules. A billing run that is late dates it back to the scheduled time.
    effective_at = models.DateTimeField()
    # When the row was written.
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [
            models.Index(fields=["customer", "-id"], name="event_by_customer"),
            models.Index(fields=["subject", "id"], name="event_by_subject"),
            BrinIndex(fields=["created_at"], name="event_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.subject}"
