"""The event log: what happened, written in the transaction that made it happen."""

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models.functions import Now


class Event(models.Model):
    """A fact about a customer. Append-only; mails and outbound webhooks are made from it."""

    # Found through event_by_customer, which begins with it.
    customer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="events", db_index=False
    )
    # Such as `subscription.renewed`, `payment.confirmed`.
    type = models.CharField(max_length=60)
    # Public id of what it is about: `sub_...`, `pay_...`.
    subject = models.CharField(max_length=40)
    data = models.JSONField(default=dict)
    # When it was so by the rules; a run that came late dates it back to its own instant.
    effective_at = models.DateTimeField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [
            models.Index(fields=["customer", "-id"], name="event_by_customer"),
            models.Index(fields=["subject", "id"], name="event_by_subject"),
            BrinIndex(fields=["created_at"], name="event_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.subject}"
