"""Pages on which customers save a payment method without paying."""

from functools import partial

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.ids import new_id
from payments.models.method import PaymentMethod


class MethodSetup(models.Model):
    """A gateway's page on which a customer saves a method without paying, and what has come of it."""

    class Status(models.TextChoices):
        OPEN = "open", _("open")
        SAVED = "saved", _("saved")
        # The customer turned back, the bank refused, or the time was over.
        ENDED = "ended", _("ended")

    # It is the gateway's idempotency key.
    public_id = models.CharField(max_length=40, unique=True, default=partial(new_id, "set"), editable=False)
    customer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="method_setups")
    gateway = models.CharField(max_length=20)
    # The gateway's id of the page. Set once, when the gateway answers; null before.
    gateway_id = models.CharField(max_length=120, null=True)
    confirmation_url = models.TextField(default="", blank=True)
    # The language of the page that started it; the gateway sends the customer back to a page in it.
    language = models.CharField(max_length=8)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)
    # What was saved.
    method = models.ForeignKey(PaymentMethod, on_delete=models.PROTECT, null=True, related_name="setups")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    # When the sweep next asks the gateway; null once it is saved or has ended.
    check_at = models.DateTimeField(null=True, editable=False)
    checks = models.PositiveSmallIntegerField(default=0, editable=False)
    # How often in a row the check has raised, and the reason once it waits for staff (payments.sweeps).
    failures = models.PositiveSmallIntegerField(default=0, editable=False)
    parked_reason = models.CharField(max_length=200, default="", blank=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["gateway", "gateway_id"], name="one_setup_per_gateway_object"),
            models.UniqueConstraint(
                fields=["customer", "gateway"],
                condition=Q(status="open"),
                name="one_open_setup_per_customer_and_gateway",
            ),
            models.CheckConstraint(
                condition=Q(status="saved", method__isnull=False) | (~Q(status="saved") & Q(method__isnull=True)),
                name="only_a_saved_setup_has_a_method",
            ),
        ]
        indexes = [
            BrinIndex(fields=["created_at"], name="setup_by_time"),
            models.Index(fields=["check_at"], condition=Q(check_at__isnull=False), name="setup_to_check"),
        ]

    def __str__(self) -> str:
        return self.public_id
