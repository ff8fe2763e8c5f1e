"""Charges: one row for each advance period paid and each slice of metered use."""

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q

from ledger.models import Transaction
from subscriptions.models.plan import Price
from subscriptions.models.subscription import Subscription


class Charge(models.Model):
    """The charge for the span [period_start, period_end) of one subscription.

    Every active second of a subscription is in exactly one charge.
    """

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="charges", db_index=False)
    # The subscription's customer, set at creation. Every busy table has it: it is the key to shard by.
    customer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    # These two have no foreign key in the database: prices and transactions are never deleted, and every new charge
    # would lock the same price row.
    price = models.ForeignKey(Price, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False)
    transaction = models.OneToOneField(
        Transaction, models.DO_NOTHING, null=True, related_name="charge", db_constraint=False
    )
    period_start = models.DateTimeField()
    period_end = models.DateTimeField()
    # Set once, when the use ends before the period (pause, plan change, cancellation).
    ended_at = models.DateTimeField(null=True)
    # 0 while the charge covers time. A unique number if its use ended at the instant it began, so that another charge
    # may start there.
    void_as = models.BigIntegerField(default=0, db_default=0)
    # Minor units. A charge of zero has no transaction.
    amount = models.BigIntegerField()
    # The quantity that it is for.
    quantity = models.PositiveIntegerField(default=1)
    # Advance: the microseconds of the whole period of which this is a part, or all.
    full_length = models.BigIntegerField(null=True)
    # Days of grace that the wallet could not pay in full: the transaction of the part that became a debt.
    debt_transaction = models.OneToOneField(
        Transaction, models.DO_NOTHING, null=True, related_name="owed_charge", db_constraint=False
    )
    # Metered: what was left of the last unit paid before and after (R2), so that the amount can be recalculated.
    credit_before = models.BigIntegerField(null=True)
    credit_after = models.BigIntegerField(null=True)
    # The transaction that refunded unused time. Set once, if there is a refund.
    refund = models.OneToOneField(
        Transaction, models.DO_NOTHING, null=True, related_name="refunded_charge", db_constraint=False
    )

    class Meta:
        constraints = [
            # void_as is a column, not a condition, so that this index also finds the charges of a subscription.
            models.UniqueConstraint(
                fields=["subscription", "period_start", "void_as"], name="one_charge_per_subscription_and_start"
            ),
            models.CheckConstraint(
                condition=(Q(void_as=0) & (Q(ended_at__isnull=True) | Q(ended_at__gt=F("period_start"))))
                | (~Q(void_as=0) & Q(ended_at__isnull=False, ended_at=F("period_start"))),
                name="only_an_empty_charge_is_void",
            ),
            models.CheckConstraint(condition=Q(amount__gte=0), name="charge_is_zero_or_more"),
            models.CheckConstraint(condition=Q(period_end__gt=F("period_start")), name="charge_has_a_span"),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(ended_at__gte=F("period_start"), ended_at__lte=F("period_end")),
                name="charge_ends_within_its_span",
            ),
            models.CheckConstraint(
                condition=Q(amount=0, transaction__isnull=True, debt_transaction__isnull=True)
                | Q(amount__gt=0) & (Q(transaction__isnull=False) | Q(debt_transaction__isnull=False)),
                name="charge_above_zero_has_a_transaction",
            ),
        ]
        indexes = [
            # For subscriptions.reminders: periods of 27 days, in microseconds, or more.
            models.Index(fields=["period_end"], condition=Q(full_length__gte=2_332_800_000_000), name="charge_by_end"),
            # For subscriptions.revenue: what still covers time at some instant. It costs billing nearly nothing.
            BrinIndex(
                fields=["period_end"],
                opclasses=["timestamptz_minmax_multi_ops"],
                pages_per_range=32,
                autosummarize=True,
                name="charge_by_span_end",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subscription_id} {self.period_start:%Y-%m-%d %H:%M} {self.amount}"
