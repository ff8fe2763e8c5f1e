"""Consents that customers have given with a payment."""

from django.db import models
from django.db.models import Q

from payments.models.consent import Consent
from payments.models.payment import Payment


class CheckoutConsent(models.Model):
    """What a customer has agreed to at a checkout. It becomes a consent once the payment has saved its method."""

    payment = models.OneToOneField(Payment, on_delete=models.PROTECT, related_name="checkout_consent")
    # What the customer has read, in the language of the page, the version of that text, and from which IP address.
    words = models.TextField()
    language = models.CharField(max_length=8)
    version = models.PositiveSmallIntegerField()
    address = models.GenericIPAddressField(null=True)
    given_at = models.DateTimeField()
    # What it has become. Set once.
    consent = models.OneToOneField(Consent, on_delete=models.PROTECT, null=True, related_name="checkout")
    # When it was dropped: the order was cancelled, the customer decided otherwise, or the method cannot be charged.
    dropped_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(words=""), name="checkout_consent_has_words"),
            models.CheckConstraint(
                condition=Q(consent__isnull=True) | Q(dropped_at__isnull=True),
                name="a_dropped_checkout_consent_becomes_none",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.payment_id}"
