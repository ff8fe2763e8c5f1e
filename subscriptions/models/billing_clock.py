"""The book: one customer's wallet in one currency, with its subscriptions. Its lock is the wallet row."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from ledger.models import Account


class BillingClock(models.Model):
    """How far the book of a wallet is settled, and when it is due. Written by subscriptions.storage under its lock."""

    wallet = models.OneToOneField(Account, on_delete=models.PROTECT, primary_key=True, related_name="billing_clock")
    # The wallet's owner: every hot row carries its customer.
    customer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    # The last instant it was settled to. An operation with an earlier `now` is taken to be at this one.
    settled_at = models.DateTimeField(null=True)
    # The fraction of a minor unit that ended metered uses left for the next one, in parts (engine/leftover.py).
    leftover = models.BigIntegerField(default=0, db_default=0)
    # The next instant at which settling it writes something; null: never.
    due_at = models.DateTimeField(null=True)
    # The tightest low-balance notice given (72, 24 or 1 hours before), null: none since money last came.
    noticed_hours = models.PositiveSmallIntegerField(null=True)
    # A book that could not be settled waits for staff, and holds nobody else up.
    parked_at = models.DateTimeField(null=True)
    parked_reason = models.TextField(default="", blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(leftover__gte=0), name="leftover_is_zero_or_more")]
        verbose_name = "billing clock"
        indexes = [
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False, parked_at__isnull=True), name="book_due"),
        ]

    def __str__(self) -> str:
        return f"billing clock of wallet {self.wallet_id}"


class Trial(models.Model):
    """A customer has had a free trial of a plan: once, in whatever currency."""

    customer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="trials")
    plan = models.ForeignKey("subscriptions.Plan", on_delete=models.PROTECT, related_name="trials")
    started_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["customer", "plan"], name="one_trial_per_customer_and_plan")]

    def __str__(self) -> str:
        return f"{self.customer_id} tried {self.plan_id}"
