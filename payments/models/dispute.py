"""Disputes: payments that the customer's bank takes back."""

from functools import partial

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.ids import new_id
from ledger.money import Money
from payments.models.payment import Payment


class Dispute(models.Model):
    """A dispute of one payment, as its gateway reports it."""

    class Status(models.TextChoices):
        OPEN = "open", _("open")
        WON = "won", _("won")
        LOST = "lost", _("lost")

    public_id = models.CharField(max_length=40, unique=True, default=partial(new_id, "dsp"), editable=False)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="disputes")
    gateway = models.CharField(max_length=20)
    gateway_id = models.CharField(max_length=120)
    # Minor units of `currency`.
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)
    # The gateway's word for why, and until when the seller may answer there.
    reason = models.CharField(max_length=60, default="", blank=True)
    answer_by = models.DateTimeField(null=True)
    # When the money was taken from the customer's wallet, and when it came back because the dispute was won.
    withdrawn_at = models.DateTimeField(null=True)
    returned_at = models.DateTimeField(null=True)
    # What the gateway keeps for it, less what it has returned of that, in minor units of `fee_currency`, the currency
    # of the seller's account. How often that has changed: each change is posted under a key of its own.
    fee = models.BigIntegerField(default=0, editable=False)
    fee_currency = models.CharField(max_length=3, default="", blank=True, editable=False)
    fee_changes = models.PositiveSmallIntegerField(default=0, editable=False)
    created_at = models.DateTimeField()
    # When `status` last changed.
    updated_at = models.DateTimeField()
    # When the sweep next asks the gateway about it; null once it is decided.
    check_at = models.DateTimeField(null=True)
    checks = models.PositiveSmallIntegerField(default=0)
    # How often in a row the check has raised, and the reason once it waits for staff (payments.sweeps).
    failures = models.PositiveSmallIntegerField(default=0, editable=False)
    parked_reason = models.CharField(max_length=200, default="", blank=True, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="dispute_is_more_than_zero"),
            models.CheckConstraint(
                condition=Q(returned_at__isnull=True) | Q(withdrawn_at__isnull=False),
                name="only_what_was_withdrawn_comes_back",
            ),
            models.CheckConstraint(
                condition=Q(fee=0, fee_changes=0) | Q(fee_changes__gt=0, fee_currency__regex="^[A-Z]{3}$"),
                name="a_dispute_fee_has_a_currency",
            ),
            models.UniqueConstraint(fields=["gateway", "gateway_id"], name="one_dispute_per_gateway_object"),
        ]
        indexes = [
            BrinIndex(fields=["created_at"], name="dispute_by_time"),
            models.Index(fields=["check_at"], condition=Q(check_at__isnull=False), name="dispute_to_check"),
            # What staff read on the first page of the desk.
            models.Index(fields=["answer_by"], condition=Q(status="open"), name="dispute_open"),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)

    @property
    def fee_money(self) -> Money | None:
        """What the gateway keeps for it, None while it has named no fee."""
        return Money(self.fee, self.fee_currency) if self.fee_currency else None
