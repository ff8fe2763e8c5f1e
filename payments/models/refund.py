"""Refunds of payments."""

from functools import partial

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.ids import new_id
from core.models import MadeOnce
from ledger.money import Money
from payments.models.payment import Payment


class Refund(MadeOnce):
    """Money of one payment that goes back. Its status changes only as payments.refunds.MOVES allows."""

    class Status(models.TextChoices):
        PENDING = "pending", _("pending")
        SUCCEEDED = "succeeded", _("succeeded")
        FAILED = "failed", _("failed")

    class Destination(models.TextChoices):
        # Back to where it was paid from, through the gateway.
        CARD = "card", _("the payment method")
        WALLET = "wallet", _("the wallet")

    public_id = models.CharField(max_length=40, unique=True, default=partial(new_id, "ref"), editable=False)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    # Minor units of `currency`, the currency that was received.
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    destination = models.CharField(max_length=10, choices=Destination.choices, default=Destination.CARD)
    # False for money that was never credited: that of a parked payment, which is sent back.
    is_from_wallet = models.BooleanField(default=True)
    # True if somebody made it on the gateway's own pages. What the wallet lacked for it is a debt.
    is_made_at_gateway = models.BooleanField(default=False, editable=False)
    # True if the money had never come: staff have voided the receipt of a bank transfer. Nothing was sent back.
    is_void = models.BooleanField(default=False, editable=False)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    # Why, in the words of who asked for it. Customers read it.
    reason = models.CharField(max_length=200, default="", blank=True)
    # The member of staff who asked for it; null for the customer and for programs.
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", editable=False
    )

    gateway = models.CharField(max_length=20)
    # The gateway's id of the refund. Set once, when the gateway answers; null before and for the wallet.
    gateway_id = models.CharField(max_length=120, null=True)
    failure_code = models.CharField(max_length=60, default="", blank=True)

    created_at = models.DateTimeField()
    # When `status` last changed.
    updated_at = models.DateTimeField()
    # When the sweep next asks the gateway about it; null once there is nothing left to ask.
    check_at = models.DateTimeField(null=True)
    checks = models.PositiveSmallIntegerField(default=0)
    # How often in a row the check has raised, and the reason once it waits for staff (payments.sweeps).
    failures = models.PositiveSmallIntegerField(default=0, editable=False)
    parked_reason = models.CharField(max_length=200, default="", blank=True, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="refund_is_more_than_zero"),
            models.UniqueConstraint(fields=["gateway", "gateway_id"], name="one_refund_per_gateway_object"),
            models.UniqueConstraint(fields=["payment", "idempotency_key"], name="one_refund_per_request"),
        ]
        indexes = [
            BrinIndex(fields=["created_at"], name="refund_by_time"),
            models.Index(fields=["check_at"], condition=Q(check_at__isnull=False), name="refund_to_check"),
            # What waits for staff is counted every few seconds (billing_site.status).
            models.Index(fields=["id"], condition=~Q(parked_reason=""), name="refund_parked"),
            # What staff read on the first page of the desk.
            models.Index(fields=["created_at"], condition=Q(status="failed"), name="refund_failed"),
            models.Index(fields=["created_at"], condition=Q(status="pending"), name="refund_pending"),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)
