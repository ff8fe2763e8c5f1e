"""The sandbox gateway's own tables. The rest of the code reaches them only through the gateway protocol."""

from functools import partial

from django.db import models
from django.db.models import Q

from core.ids import new_id
from ledger.money import Money


class SandboxSession(models.Model):
    """One hosted payment page and the outcome that the visitor picked on it."""

    class Status(models.TextChoices):
        OPEN = "open", "open"
        REQUIRES_ACTION = "requires_action", "bank asks to confirm"
        PROCESSING = "processing", "processing"
        SUCCEEDED = "succeeded", "succeeded"
        FAILED = "failed", "failed"
        CANCELLED = "cancelled", "cancelled"
        EXPIRED = "expired", "expired"

    session_id = models.CharField(max_length=40, unique=True, default=partial(new_id, "sbx"), editable=False)
    # The same key returns the same session.
    idempotency_key = models.CharField(max_length=100, unique=True)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    description = models.CharField(max_length=200)
    return_url = models.CharField(max_length=500)
    cancel_url = models.CharField(max_length=500)
    language = models.CharField(max_length=8, default="en")
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.OPEN)
    # The code of the outcome that the visitor picked.
    outcome = models.CharField(max_length=40, default="", blank=True)
    # The amount taken. It differs from `amount` only for the outcome `wrong_amount`.
    amount_received = models.BigIntegerField(null=True)
    failure_code = models.CharField(max_length=60, default="", blank=True)
    # When a delayed payment succeeds.
    succeeds_at = models.DateTimeField(null=True)
    # Until then every call about it times out.
    unreachable_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.session_id

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)


class SandboxDelivery(models.Model):
    """A webhook to send over HTTP, repeated until it is answered with 2xx."""

    event_id = models.CharField(max_length=40, default=partial(new_id, "sevt"), editable=False)
    session = models.ForeignKey(SandboxSession, on_delete=models.CASCADE, related_name="deliveries")
    type = models.CharField(max_length=40)
    tries = models.PositiveSmallIntegerField(default=0)
    # When it is sent next; null once it is delivered or given up.
    next_try_at = models.DateTimeField(null=True)
    last_status = models.CharField(max_length=120, default="", blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["next_try_at"], condition=Q(next_try_at__isnull=False), name="sandbox_delivery_due"),
        ]

    def __str__(self) -> str:
        return f"{self.event_id} {self.type}"


class SandboxRefund(models.Model):
    """A refund of a session, as the gateway records it. Our own record is separate."""

    refund_id = models.CharField(max_length=40, unique=True, default=partial(new_id, "sbr"), editable=False)
    session = models.ForeignKey(SandboxSession, on_delete=models.CASCADE, related_name="refunds")
    # The same key returns the same refund.
    idempotency_key = models.CharField(max_length=100, unique=True)
    amount = models.BigIntegerField()
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.refund_id
