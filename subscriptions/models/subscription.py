"""Subscriptions. Written by subscriptions.books and billing runs only."""

from functools import partial

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.ids import new_id
from core.models import MadeOnce
from ledger.models import Account
from subscriptions.models.billing_clock import BillingClock
from subscriptions.models.plan import Price


class Subscription(MadeOnce):
    """The state of one subscription when its book was last settled. docs/billing-rules.md explains each field."""

    class Status(models.TextChoices):
        PENDING = "pending", _("pending")
        TRIALING = "trialing", _("trialing")
        ACTIVE = "active", _("active")
        PAST_DUE = "past_due", _("past due")
        SUSPENDED = "suspended", _("suspended")
        PAUSED = "paused", _("paused")
        CANCELLED = "cancelled", _("cancelled")
        EXPIRED = "expired", _("expired")

    public_id = models.CharField(max_length=40, unique=True, default=partial(new_id, "sub"), editable=False)
    # No index of its own: the constraint one_subscription_per_request begins with it.
    customer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="subscriptions", db_index=False
    )
    # The wallet that pays. It also gives the currency and the lock.
    wallet = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="subscriptions")
    price = models.ForeignKey(Price, on_delete=models.PROTECT, related_name="subscriptions")
    quantity = models.PositiveIntegerField(default=1)
    # Never changes after creation.
    periods = models.PositiveIntegerField(default=1, help_text=_("How many intervals one payment covers."))
    auto_renew = models.BooleanField(default=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    created_at = models.DateTimeField()

    # Advance: periods are counted from the anchor. These are the number, start and end of the current period.
    anchor_at = models.DateTimeField(null=True)
    period_number = models.PositiveIntegerField(default=0)
    period_start = models.DateTimeField(null=True)
    period_end = models.DateTimeField(null=True)
    # What the current period is worth in full, and its full length in microseconds. A pause moves the end and leaves
    # the length.
    period_paid = models.BigIntegerField(default=0)
    period_length = models.BigIntegerField(default=0)
    # What it has cost: paid at its start, plus or less what changes of the quantity moved since.
    period_net = models.BigIntegerField(default=0)
    # The start of the charge that covers the present.
    charge_start = models.DateTimeField(null=True)
    # Paused: the remaining time of the period in microseconds.
    paused_left = models.BigIntegerField(null=True)
    # Trialing: the end of the trial. Past due: the end of the grace. Pending or suspended: when it expires.
    trial_end = models.DateTimeField(null=True)
    grace_end = models.DateTimeField(null=True)
    wait_end = models.DateTimeField(null=True)

    # Metered: paid up to this instant, with this part of the last minor unit left (R2).
    billed_until = models.DateTimeField(null=True)
    credit = models.BigIntegerField(default=0)

    # Set on request; takes effect at the end of the period or trial.
    cancel_requested = models.BooleanField(default=False)
    scheduled_price = models.ForeignKey(Price, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    scheduled_quantity = models.PositiveIntegerField(null=True)
    # Paused because staff blocked the customer; resumed when they undo that.
    is_held = models.BooleanField(default=False)

    # Each is set once: at the first start, and when the status becomes final.
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    # Number of movements (charges and refunds) so far: part of the next one's key.
    entry_count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["customer", "idempotency_key"], name="one_subscription_per_request"),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="subscription_quantity_is_one_or_more"),
            models.CheckConstraint(condition=Q(periods__gte=1), name="subscription_periods_is_one_or_more"),
            models.CheckConstraint(condition=Q(credit__gte=0), name="credit_is_zero_or_more"),
            models.CheckConstraint(
                condition=Q(status__in=["cancelled", "expired"], ended_at__isnull=False)
                | (~Q(status__in=["cancelled", "expired"]) & Q(ended_at__isnull=True)),
                name="only_a_final_subscription_has_ended",
            ),
            models.CheckConstraint(
                condition=~Q(status="trialing") | Q(trial_end__isnull=False), name="trialing_has_a_trial_end"
            ),
            models.CheckConstraint(
                condition=~Q(status="past_due") | Q(grace_end__isnull=False), name="past_due_has_a_grace_end"
            ),
            models.CheckConstraint(
                condition=~Q(status="active") | Q(billed_until__isnull=False) | Q(period_end__isnull=False),
                name="active_is_paid_for_or_metered",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["pending", "suspended"]) | Q(wait_end__isnull=False),
                name="waiting_has_an_end",
            ),
            models.CheckConstraint(
                condition=Q(scheduled_quantity__isnull=True) | Q(scheduled_quantity__gte=1),
                name="scheduled_quantity_is_one_or_more",
            ),
        ]
        # Partial, and of columns that no renewal changes: billing does not pay for it.
        indexes = [models.Index(fields=["trial_end"], condition=Q(status="trialing"), name="trial_by_end")]

    def __str__(self) -> str:
        return self.public_id

    @property
    def billing_clock(self) -> BillingClock:
        return BillingClock.objects.get(wallet_id=self.wallet_id)


Status = Subscription.Status
# The customer has access.
LIVE = frozenset({Status.TRIALING, Status.ACTIVE, Status.PAST_DUE})
# Ended for good.
FINAL = frozenset({Status.CANCELLED, Status.EXPIRED})
# Waiting for money: the pages say how to pay.
UNPAID = frozenset({Status.PENDING, Status.SUSPENDED, Status.PAST_DUE})
