"""Payouts: what gateways send to the seller's bank account."""

from functools import partial

from django.conf import settings
from django.db import models
from django.db.models import Q

from core.ids import new_id
from ledger.money import Money


class Payout(models.Model):
    """Money that a gateway has sent to the seller. It is posted once, and reversed once if the bank sent it back."""

    public_id = models.CharField(max_length=40, unique=True, default=partial(new_id, "payout"), editable=False)
    gateway = models.CharField(max_length=20)
    # The gateway's id of it, or the reference that staff gave.
    gateway_id = models.CharField(max_length=120)
    # Minor units of `currency`. Below zero if the gateway took it from the bank account, to cover refunds.
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    arrived_at = models.DateTimeField()
    # When we learned that the bank sent it back. Set once.
    returned_at = models.DateTimeField(null=True)
    # Whether staff recorded it, because the gateway does not list its payouts, and who did if that is known.
    is_by_hand = models.BooleanField(default=False, editable=False)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", editable=False
    )
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(amount=0), name="payout_is_not_zero"),
            models.CheckConstraint(condition=~Q(gateway_id=""), name="payout_has_an_id"),
            models.UniqueConstraint(fields=["gateway", "gateway_id"], name="one_payout_per_gateway_object"),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)

    @property
    def is_paid(self) -> bool:
        """Whether the seller still has it: False once the bank has sent it back."""
        return self.returned_at is None
