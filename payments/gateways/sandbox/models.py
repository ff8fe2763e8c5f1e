"""The sandbox gateway's own tables. Our side never reads them but through the gateway protocol, as if remote."""

from functools import partial

from django.db import models
from django.db.models import Q

from core.ids import new_id
from ledger.money import Money


class SandboxSession(models.Model):
    """One hosted payment page, with what the visitor chose to happen on it."""

    class Status(models.TextChoices):
        OPEN = "open", "open"
        REQUIRES_ACTION = "requires_action", "bank asks to confirm"
        PROCESSING = "processing", "processing"
        SUCCEEDED = "succeeded", "succeeded"
        FAILED = "failed", "failed"
        CANCELLED = "cancelled", "cancelled"
        EXPIRED = "expired", "expired"

    session_id = models.CharField(max_length=40, unique=True, default=partial(new_id, "sbx"), editable=False)
    # Same key, same session: the gateway's idempotency.
    idempotency_key = models.CharField(max_length=100, unique=True)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    description = models.CharField(max_length=200)
    return_url = models.CharField(max_length=500)
    cancel_url = models.CharField(max_length=500)
    language = models.CharField(max_length=8, default="en")
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.OPEN)
    # What the visitor picked on the page.
    outcome = models.CharField(max_length=40, default="", blank=True)
    # What was really taken: differs from `amount` only in the wrong-amount fault.
    amount_received = models.BigIntegerField(null=True)
    failure_code = models.CharField(max_length=60, default="", blank=True)
    # A delayed success becomes true at this instant.
    succeeds_at = models.DateTimeField(null=True)
    # Until then every question about it times out.
    unreachable_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.session_id

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)


class SandboxDelivery(models.Model):
    """A webhook the sandbox owes us: sent over HTTP, again and again until answered with 2xx."""

    event_id = models.CharField(max_length=40, default=partial(new_id, "sevt"), editable=False)
    session = models.ForeignKey(SandboxSession, on_delete=models.CASCADE, related_name="deliveries")
    type = models.CharField(max_length=40)
    tries = models.PositiveSmallIntegerField(default=0)
    # Null: delivered or given up.
    next_try_at = models.DateTimeField(null=True)
    last_status = models.CharField(max_length=120, default="", blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["next_try_at"], condition=Q(next_try_at__isnull=False), name="sandbox_delivery_due"),
        ]

    def __str__(self) -> str:
        return f"{self.event_id} {self.type}"


class SandboxRefund(models.Model):
    """Money given back from what a session took. The gateway's own record; ours is another."""

    refund_id = models.CharField(max_length=40, unique=True, default=partial(new_id, "sbr"), editable=False)
    session = models.ForeignKey(SandboxSession, on_delete=models.CASCADE, related_name="refunds")
    # Same key, same refund.
    idempotency_key = models.CharField(max_length=100, unique=True)
    amount = models.BigIntegerField()
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.refund_id
