"""Quotes: what a change of plan or quantity costs at most, until the quote expires."""

from functools import partial

from django.db import models
from django.db.models import Q

from core.ids import new_id
from subscriptions.models.plan import Price
from subscriptions.models.subscription import Subscription


class Quote(models.Model):
    """The movements of a change as they are at `expires_at`: the customer pays no more and gets back no less.

    Everything except `used_at` is set at creation.
    """

    class When(models.TextChoices):
        NOW = "now", "now"
        PERIOD_END = "period_end", "at the period's end"

    public_id = models.CharField(max_length=40, unique=True, default=partial(new_id, "quo"), editable=False)
    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="quotes")
    price = models.ForeignKey(Price, on_delete=models.PROTECT, related_name="+")
    # The new quantity; null: the plan changes.
    quantity = models.PositiveIntegerField(null=True)
    when = models.CharField(max_length=10, choices=When.choices, default=When.NOW)
    # When the quote was calculated, and the last instant at which it can be accepted.
    as_of = models.DateTimeField()
    expires_at = models.DateTimeField()
    # The movements in order: [{"reason": "unused_refund", "subscription": 17, "amount": 4950, "from": {...}}, ...];
    # see subscriptions.quotes.stored_lines.
    lines = models.JSONField()
    balance_before = models.BigIntegerField()
    balance_after = models.BigIntegerField()
    # The status after the change, and the next payment (minor units) if known.
    status_after = models.CharField(max_length=10)
    # Fingerprint of the statuses of the others in the book after the change (quote_change.fingerprint_of_others).
    others = models.CharField(max_length=64, default="")
    # What other meters that the change starts use until `expires_at`, in minor units. `balance_after` counts it.
    started_use = models.BigIntegerField(default=0)
    next_charge_at = models.DateTimeField(null=True)
    next_charge_amount = models.BigIntegerField(null=True)
    # Set once, in the transaction that accepts the quote.
    used_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["expires_at"], condition=Q(used_at__isnull=True), name="quote_not_accepted"),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def total(self) -> int:
        """What the change moves in minor units, negative when the customer pays; without what running meters use."""
        return sum(line["amount"] for line in self.lines)
