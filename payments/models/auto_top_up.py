"""Rules by which customers have their balance topped up automatically."""

from functools import partial

from django.conf import settings
from django.db import models
from django.db.models import Q

from core.ids import new_id
from ledger.money import Money
from payments.models.consent import Consent


class AutoTopUp(models.Model):
    """A customer's rule for one wallet: an amount below a threshold, or so many days of use kept ahead."""

    public_id = models.CharField(max_length=40, unique=True, default=partial(new_id, "atu"), editable=False)
    customer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="auto_top_ups")
    currency = models.CharField(max_length=3)
    # The consent names the method that is charged.
    consent = models.OneToOneField(Consent, on_delete=models.PROTECT, related_name="auto_top_up")
    # Minor units: `amount` is charged when less than `threshold` can be spent.
    threshold = models.BigIntegerField(null=True)
    amount = models.BigIntegerField(null=True)
    # Or: when the balance lasts for fewer days at the present use, what makes it last twice as long is charged.
    days_ahead = models.PositiveSmallIntegerField(null=True)
    # The most in a calendar month (UTC), in minor units.
    monthly_cap = models.BigIntegerField()
    created_at = models.DateTimeField()
    # Set once, when the customer turns it off or replaces it.
    ended_at = models.DateTimeField(null=True)
    # Set once, when we have stopped it: too many attempts in a day, or a method that cannot be charged any more.
    stopped_at = models.DateTimeField(null=True)
    stopped_reason = models.CharField(max_length=40, default="", blank=True)
    # When the cap last stood in the way; the customer is told once a month.
    capped_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "currency"], condition=Q(ended_at__isnull=True), name="one_rule_per_wallet"
            ),
            models.CheckConstraint(
                condition=Q(threshold__gt=0, amount__gt=0, days_ahead__isnull=True)
                | Q(threshold__isnull=True, amount__isnull=True, days_ahead__gt=0),
                name="rule_has_a_threshold_or_days",
            ),
            models.CheckConstraint(condition=Q(monthly_cap__gt=0), name="monthly_cap_is_more_than_zero"),
            models.CheckConstraint(
                condition=Q(stopped_at__isnull=True, stopped_reason="")
                | (Q(stopped_at__isnull=False) & ~Q(stopped_reason="")),
                name="only_a_stopped_rule_has_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def threshold_money(self) -> Money | None:
        return None if self.threshold is None else Money(self.threshold, self.currency)

    @property
    def amount_money(self) -> Money | None:
        return None if self.amount is None else Money(self.amount, self.currency)

    @property
    def cap_money(self) -> Money:
        return Money(self.monthly_cap, self.currency)

    @property
    def is_on(self) -> bool:
        return self.ended_at is None and self.stopped_at is None
