"""A plan change, worked out and promised until it expires."""

from functools import partial

from django.db import models
from django.db.models import Q

from core.ids import new_id
from subscriptions.models.plan import Price
from subscriptions.models.subscription import Subscription


class Quote(models.Model):
    """What a change would move. Accepting it posts exactly these lines or nothing."""

    class When(models.TextChoices):
        NOW = "now", "now"
        PERIOD_END = "period_end", "at the period's end"

    public_id = models.CharField(max_length=40, unique=True, default=partial(new_id, "quo"), editable=False)
    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="quotes")
    price = models.ForeignKey(Price, on_delete=models.PROTECT, related_name="+")
    when = models.CharField(max_length=10, choices=When.choices, default=When.NOW)
    # When it was worked out, and the last instant at which the lines are the same.
    as_of = models.DateTimeField()
    expires_at = models.DateTimeField()
    # When the change takes effect once it is accepted; none: at that instant. The money moves when it is accepted.
    takes_effect_at = models.DateTimeField(null=True)
    # [{"reason": "unused_refund", "subscription": 17, "amount": 4950, "from": {...}}, ...] as they are posted in turn;
    # see subscriptions/quote_lines.py.
    lines = models.JSONField()
    balance_before = models.BigIntegerField()
    balance_after = models.BigIntegerField()
    # The status it leads to, and the next payment (minor units), if one is known.
    status_after = models.CharField(max_length=10)
    next_charge_at = models.DateTimeField(null=True)
    next_charge_amount = models.BigIntegerField(null=True)
    # Set once, in the transaction that carried it out.
    used_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["expires_at"], condition=Q(used_at__isnull=True), name="quote_not_accepted"),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def total(self) -> int:
        """What leaves the wallet (negative) or comes back to it, in minor units."""
        return self.balance_after - self.balance_before
