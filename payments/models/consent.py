"""What customers have agreed to: that we charge a saved method while they are away."""

from functools import partial

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.ids import new_id
from payments.models.method import PaymentMethod


class Consent(models.Model):
    """A customer's consent to charges of one method for one purpose, with the words they saw. It is kept for good."""

    class Purpose(models.TextChoices):
        # Renewals of all subscriptions that the balance cannot pay.
        RENEWALS = "renewals", _("renewals")
        # Top-ups of one wallet by the customer's own rule.
        TOP_UPS = "top_ups", _("automatic top-ups")

    public_id = models.CharField(max_length=40, unique=True, default=partial(new_id, "con"), editable=False)
    customer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="consents")
    method = models.ForeignKey(PaymentMethod, on_delete=models.PROTECT, related_name="consents")
    purpose = models.CharField(max_length=10, choices=Purpose.choices)
    # The currency of the wallet that is topped up; empty for renewals, which are in every currency.
    currency = models.CharField(max_length=3, default="", blank=True)
    # What the customer has read, in the language of the page, and the version of that text.
    words = models.TextField()
    language = models.CharField(max_length=8)
    version = models.PositiveSmallIntegerField()
    # From which IP address it was given; null if that is not known.
    address = models.GenericIPAddressField(null=True)
    given_at = models.DateTimeField()
    # Set once. From then on nothing is charged by it.
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [BrinIndex(fields=["given_at"], name="consent_by_time")]
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "purpose", "currency"],
                condition=Q(withdrawn_at__isnull=True),
                name="one_consent_per_customer_and_purpose",
            ),
            models.CheckConstraint(
                condition=Q(purpose="renewals", currency="") | Q(purpose="top_ups", currency__regex="^[A-Z]{3}$"),
                name="consent_to_top_ups_names_a_currency",
            ),
            models.CheckConstraint(condition=~Q(words=""), name="consent_has_words"),
        ]

    def __str__(self) -> str:
        return self.public_id
