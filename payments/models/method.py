"""Payment methods that gateways keep for customers."""

from functools import partial

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q

from core.ids import new_id


class PaymentMethod(models.Model):
    """A card or account that a gateway keeps. Nothing of it is stored but what a customer knows it by."""

    public_id = models.CharField(max_length=40, unique=True, default=partial(new_id, "pm"), editable=False)
    customer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="payment_methods")
    gateway = models.CharField(max_length=20)
    gateway_id = models.CharField(max_length=120)
    # The gateway's id of its owner, where it has one.
    gateway_owner = models.CharField(max_length=120, default="", blank=True)
    brand = models.CharField(max_length=40, default="", blank=True)
    last4 = models.CharField(max_length=4, default="", blank=True)
    expires_on = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    # Since when it is not used any more, because the customer or the gateway removed it. Set once.
    removed_at = models.DateTimeField(null=True)
    # When the sweep next asks the gateway to remove it; null while the customer keeps it, and once it is removed there.
    check_at = models.DateTimeField(null=True, editable=False)
    checks = models.PositiveSmallIntegerField(default=0, editable=False)
    # How often in a row that has raised, and the reason once it waits for staff (payments.sweeps).
    failures = models.PositiveSmallIntegerField(default=0, editable=False)
    parked_reason = models.CharField(max_length=200, default="", blank=True, editable=False)
    # Whether charges without the customer go to it. At most one of a customer's methods.
    is_default = models.BooleanField(default=False)
    # Since when it is not charged any more, because its bank has refused it for good, and the gateway's code for that.
    refused_at = models.DateTimeField(null=True)
    refused_code = models.CharField(max_length=60, default="", blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["gateway", "gateway_id"], name="one_method_per_gateway_object"),
            models.UniqueConstraint(
                fields=["customer"],
                condition=Q(is_default=True, removed_at__isnull=True),
                name="one_default_method_per_customer",
            ),
        ]
        indexes = [
            BrinIndex(fields=["created_at"], name="method_by_time"),
            models.Index(fields=["check_at"], condition=Q(check_at__isnull=False), name="method_to_remove"),
            models.Index(fields=["customer", "-id"], name="method_by_customer"),
            # Staff search by what customers read from their card.
            models.Index(fields=["last4", "-id"], condition=~Q(last4=""), name="method_by_last_digits"),
            # What waits for staff is counted every few seconds (billing_site.status).
            models.Index(fields=["id"], condition=~Q(parked_reason=""), name="method_parked"),
        ]

    def __str__(self) -> str:
        digits = f"•••• {self.last4}" if self.last4 else ""
        return f"{self.brand} {digits}".strip() or self.public_id
