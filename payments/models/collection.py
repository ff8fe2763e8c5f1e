"""Collections: money that we take from saved methods while customers are away, and why each was tried or not."""

from functools import partial

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.ids import new_id
from ledger.models import Account
from ledger.money import Money
from payments.models.auto_top_up import AutoTopUp
from subscriptions.models import Subscription


class Collection(models.Model):
    """One cause to collect money for a wallet, and what has become of it. Its attempts are payments.

    Its status changes only as payments.collection.states.MOVES allows.
    """

    class Kind(models.TextChoices):
        # The balance is short at a renewal.
        RENEWAL = "renewal", _("renewal")
        # The balance falls below what the customer's rule keeps.
        TOP_UP = "top_up", _("automatic top-up")

    class Status(models.TextChoices):
        # The next attempt is at `next_at`.
        WAITING = "waiting", _("waiting")
        # An attempt is at the gateway.
        CHARGING = "charging", _("charging")
        # The bank wants the customer to confirm an attempt.
        ACTION_REQUIRED = "action_required", _("action required")
        # An attempt has brought the money.
        COLLECTED = "collected", _("collected")
        # Nothing is missing any more: money came from elsewhere, or the subscription ended.
        COVERED = "covered", _("covered")
        # All attempts were declined.
        GIVEN_UP = "given_up", _("given up")
        # The customer or staff have stopped it.
        STOPPED = "stopped", _("stopped")

    public_id = models.CharField(max_length=40, unique=True, default=partial(new_id, "col"), editable=False)
    customer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="collections")
    wallet = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="collections")
    currency = models.CharField(max_length=3)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    # Names what the money is for, such as `renewal:17:2026-04-01T00:00:00+00:00`. One cause is collected at most once.
    cause = models.CharField(max_length=120, unique=True)
    # The rule that a top-up follows.
    rule = models.ForeignKey(AutoTopUp, on_delete=models.PROTECT, null=True, related_name="collections")
    # When the money is needed.
    due_at = models.DateTimeField()
    # The subscriptions that it is for.
    subscriptions = models.ManyToManyField(Subscription, related_name="collections")
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.WAITING)
    # Minor units of `currency`: what was missing when it was last worked out.
    amount = models.BigIntegerField(default=0)
    # How many attempts were declined, the first one at `declined_at`.
    declines = models.PositiveSmallIntegerField(default=0)
    declined_at = models.DateTimeField(null=True)
    # When the next attempt or reminder is due; null unless it is waiting.
    next_at = models.DateTimeField(null=True)
    # Why it ended, or what was wrong with the last attempt: a code of payments.collection.states.
    reason = models.CharField(max_length=40, default="", blank=True)
    created_at = models.DateTimeField()
    # When `status` last changed.
    updated_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["wallet"],
                condition=Q(status__in=["waiting", "charging", "action_required"]),
                name="one_open_collection_per_wallet",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["waiting", "charging", "action_required"], ended_at__isnull=True)
                | (~Q(status__in=["waiting", "charging", "action_required"]) & Q(ended_at__isnull=False)),
                name="only_an_ended_collection_has_an_end",
            ),
            models.CheckConstraint(
                condition=Q(status="waiting", next_at__isnull=False) | (~Q(status="waiting") & Q(next_at__isnull=True)),
                name="only_a_waiting_collection_has_a_next_attempt",
            ),
            models.CheckConstraint(condition=Q(amount__gte=0), name="collection_is_zero_or_more"),
            models.CheckConstraint(
                condition=Q(kind="top_up", rule__isnull=False) | Q(kind="renewal", rule__isnull=True),
                name="only_a_top_up_has_a_rule",
            ),
        ]
        indexes = [
            BrinIndex(fields=["created_at"], name="collection_by_time"),
            models.Index(fields=["customer", "-id"], name="collection_by_customer"),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)


class CollectionPlan(models.Model):
    """When to look next whether money must be collected for a wallet. A row exists once its customer has agreed.

    It is worked out from the book; `seen_...` say from which state of it. If the book has changed, it is due at once.
    """

    wallet = models.OneToOneField(Account, on_delete=models.PROTECT, primary_key=True, related_name="collection_plan")
    customer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    check_at = models.DateTimeField(null=True)
    checks = models.PositiveIntegerField(default=0)
    # How often in a row the check has raised, and the reason once it waits for staff (payments.sweeps).
    failures = models.PositiveSmallIntegerField(default=0, editable=False)
    parked_reason = models.CharField(max_length=200, default="", blank=True, editable=False)
    seen_settled_at = models.DateTimeField(null=True)
    seen_balance = models.BigIntegerField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["check_at"], condition=Q(check_at__isnull=False), name="collection_plan_to_check"),
            # What waits for staff is counted every few seconds (billing_site.status).
            models.Index(fields=["wallet"], condition=~Q(parked_reason=""), name="collection_plan_parked"),
        ]

    def __str__(self) -> str:
        said = {"customer": self.customer, "currency": self.wallet.currency}
        return gettext("automatic payments of %(customer)s, %(currency)s") % said


class CollectionDecision(models.Model):
    """Why a collection was or was not tried: one line for staff, with the figures that it rests on. Append-only."""

    customer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    wallet = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="collection_decisions")
    collection = models.ForeignKey(Collection, on_delete=models.PROTECT, null=True, related_name="decisions")
    # A code such as `not_yet`, `charged`, `declined`.
    outcome = models.CharField(max_length=30)
    line = models.CharField(max_length=300)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["wallet", "-id"], name="decision_by_wallet")]

    def __str__(self) -> str:
        return self.line
