"""The sandbox gateway's own tables. The rest of the code reaches them only through the gateway protocol.

What happens later, such as a delayed success, is stored with its time beforehand: `status_at` applies it without a
write.
"""

from datetime import datetime
from functools import partial

from django.db import models
from django.db.models import Q

from core.ids import new_id
from ledger.money import Money

# What the sandbox keeps, in thousandths of what was taken. Made up, so that fees can be seen. A refund returns none.
FEE = 29


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
    # The kept card that was charged while the customer was away; null for a page.
    charged = models.ForeignKey("SandboxMethod", on_delete=models.PROTECT, null=True, related_name="charges")
    # The merchant's id of the customer, and whether the customer agreed that the card is kept.
    customer = models.CharField(max_length=60, default="", blank=True)
    save_method = models.BooleanField(default=False)
    # Whether it saves a card and takes no money. Its amount is 0.
    is_setup = models.BooleanField(default=False)
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.OPEN)
    # The code of the outcome that the visitor picked.
    outcome = models.CharField(max_length=40, default="", blank=True)
    # The amount taken. It differs from `amount` only for the outcome `wrong_amount`.
    amount_received = models.BigIntegerField(null=True)
    # The currency taken. Set only for the outcome `wrong_currency`.
    currency_received = models.CharField(max_length=3, default="", blank=True)
    failure_code = models.CharField(max_length=60, default="", blank=True)
    # When the payment succeeded, or will.
    succeeds_at = models.DateTimeField(null=True)
    # Until then every call about it times out.
    unreachable_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["created_at"], name="sandbox_session_by_time")]

    def __str__(self) -> str:
        return self.session_id

    def status_at(self, now: datetime) -> Status:
        """Return the status at `now`: delayed successes and expiry apply without a write."""
        status = self.Status(self.status)
        late = status in (self.Status.PROCESSING, self.Status.EXPIRED)
        if late and self.succeeds_at and self.succeeds_at <= now:
            return self.Status.SUCCEEDED
        if status in (self.Status.OPEN, self.Status.REQUIRES_ACTION) and self.expires_at <= now:
            return self.Status.EXPIRED
        return status

    def taken_at(self, now: datetime) -> Money | None:
        """Return the money that was taken by `now`, if any was."""
        if self.status_at(now) is not self.Status.SUCCEEDED:
            return None
        return Money(self.amount_received or 0, self.currency_taken)

    def fee_at(self, now: datetime) -> int | None:
        """Return the fee, 2.9 % rounded half up, in minor units of the currency taken; None while nothing is taken."""
        taken = self.taken_at(now)
        return None if taken is None else (taken.amount * FEE + 500) // 1000

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)

    @property
    def currency_taken(self) -> str:
        """The currency that was or will be taken: another one only if the outcome says so."""
        return self.currency_received or self.currency


class SandboxMethod(models.Model):
    """A card that the customer agreed to keep. It belongs to the session that it paid."""

    method_id = models.CharField(max_length=40, unique=True, default=partial(new_id, "sbm"), editable=False)
    session = models.OneToOneField(SandboxSession, on_delete=models.CASCADE, related_name="method")
    owner = models.CharField(max_length=60, default="", blank=True)
    brand = models.CharField(max_length=20)
    last4 = models.CharField(max_length=4)
    expires_on = models.DateTimeField()
    is_kept = models.BooleanField(default=True)
    # How its bank answers the next charges: a code of outcomes.CHARGES, which the tester picks.
    answer = models.CharField(max_length=40, default="succeeds")

    def __str__(self) -> str:
        return self.method_id


class Settled(models.Model):
    """Something that is decided later, by a tester or at a time set beforehand."""

    # Status from `settles_at` on.
    settles_as = models.CharField(max_length=10, default="", blank=True)
    settles_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        abstract = True

    def is_settled_at(self, now: datetime) -> bool:
        return self.settles_at is not None and self.settles_at <= now


class SandboxRefund(Settled):
    """A refund of a session, as the gateway records it. Our own record is separate."""

    class Status(models.TextChoices):
        PENDING = "pending", "pending"
        SUCCEEDED = "succeeded", "succeeded"
        FAILED = "failed", "failed"

    refund_id = models.CharField(max_length=40, unique=True, default=partial(new_id, "sbr"), editable=False)
    session = models.ForeignKey(SandboxSession, on_delete=models.CASCADE, related_name="refunds")
    # The same key returns the same refund.
    idempotency_key = models.CharField(max_length=100, unique=True)
    amount = models.BigIntegerField()

    def __str__(self) -> str:
        return self.refund_id

    def status_at(self, now: datetime) -> Status:
        return self.Status(self.settles_as) if self.is_settled_at(now) else self.Status.PENDING


class SandboxDispute(Settled):
    """The customer's bank takes the money of a session back."""

    class Status(models.TextChoices):
        OPEN = "open", "open"
        WON = "won", "won"
        LOST = "lost", "lost"

    dispute_id = models.CharField(max_length=40, unique=True, default=partial(new_id, "sbd"), editable=False)
    session = models.ForeignKey(SandboxSession, on_delete=models.CASCADE, related_name="disputes")
    amount = models.BigIntegerField()
    reason = models.CharField(max_length=40)
    answer_by = models.DateTimeField()

    def __str__(self) -> str:
        return self.dispute_id

    def status_at(self, now: datetime) -> Status:
        return self.Status(self.settles_as) if self.is_settled_at(now) else self.Status.OPEN


class SandboxDelivery(models.Model):
    """A webhook to send over HTTP, repeated until it is answered with 2xx."""

    event_id = models.CharField(max_length=40, default=partial(new_id, "sevt"), editable=False)
    session = models.ForeignKey(SandboxSession, on_delete=models.CASCADE, related_name="deliveries")
    # The kind of object and its status, such as `session.succeeded` or `refund.failed`.
    type = models.CharField(max_length=40)
    object_id = models.CharField(max_length=40, default="", blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    # When it is sent first.
    due_at = models.DateTimeField()
    # When it is sent next; null once it is delivered or given up.
    next_try_at = models.DateTimeField(null=True)
    last_status = models.CharField(max_length=120, default="", blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["next_try_at"], condition=Q(next_try_at__isnull=False), name="sandbox_delivery_due"),
        ]

    def __str__(self) -> str:
        return f"{self.event_id} {self.type}"
