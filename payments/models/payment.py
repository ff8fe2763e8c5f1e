"""Money that a customer pays in through a gateway: one attempt, from the first click to its end."""

from functools import partial

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.ids import new_id
from ledger.money import Money
from subscriptions.models import Plan, Subscription


class Payment(models.Model):
    """Credits the wallet once, when it becomes `confirmed`. Moves only along payments.states.MOVES."""

    class Status(models.TextChoices):
        PENDING = "pending", "pending"
        UNKNOWN = "unknown", "unknown"
        CONFIRMED = "confirmed", "confirmed"
        FAILED = "failed", "failed"
        CANCELLED = "cancelled", "cancelled"
        EXPIRED = "expired", "expired"

    public_id = models.CharField(max_length=40, unique=True, default=partial(new_id, "pay"), editable=False)
    customer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="payments")
    # Minor units of `currency`: worked out by the server, never taken from the client.
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    description = models.CharField(max_length=200, default="", blank=True)

    # What it is meant for; both empty: a top-up.
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, null=True, related_name="payments")
    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, null=True, related_name="payments")
    # The subscription was made by this checkout and is cancelled when the payment ends without money.
    opened_subscription = models.BooleanField(default=False)

    gateway = models.CharField(max_length=20)
    # The gateway's name for it; null until the gateway has answered.
    gateway_id = models.CharField(max_length=120, null=True)
    # How the gateway's object stood when it was last asked (gateways.base.State), for the page and for staff.
    gateway_state = models.CharField(max_length=20, default="", blank=True, editable=False)
    confirmation_url = models.CharField(max_length=500, default="", blank=True)
    # The language of the page it was started from: the customer comes back to the same.
    language = models.CharField(max_length=8, default="", blank=True, editable=False)
    # Hidden field of the form or the client's own id: the second POST finds the first payment.
    form_key = models.CharField(max_length=64, null=True)
    # What that POST asked for (payments.orders): with other terms the same key is refused.
    asked = models.CharField(max_length=64, null=True, editable=False)

    # Why it did not succeed: the gateway's code, for staff; the words for the customer come from a table.
    failure_code = models.CharField(max_length=60, default="", blank=True)
    # Waits for staff: what the gateway confirmed is not what we asked for.
    parked_reason = models.CharField(max_length=200, default="", blank=True)
    amount_refunded = models.BigIntegerField(default=0)

    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    # The last move or change of the gateway's state, and the moment the money was credited.
    updated_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    # Reconciliation asks the gateway next at this instant; null: nothing left to ask.
    check_at = models.DateTimeField(null=True)
    checks = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="payment_is_more_than_zero"),
            models.CheckConstraint(
                condition=Q(status="confirmed", confirmed_at__isnull=False)
                | (~Q(status="confirmed") & Q(confirmed_at__isnull=True)),
                name="only_a_confirmed_payment_was_confirmed",
            ),
            models.CheckConstraint(
                condition=Q(amount_refunded__gte=0, amount_refunded__lte=models.F("amount")),
                name="refunds_never_exceed_the_payment",
            ),
            models.UniqueConstraint(fields=["gateway", "gateway_id"], name="one_payment_per_gateway_object"),
            models.UniqueConstraint(fields=["customer", "form_key"], name="one_payment_per_form"),
            models.UniqueConstraint(
                fields=["subscription"],
                condition=Q(status__in=["pending", "unknown"], parked_reason=""),
                name="one_open_payment_per_subscription",
            ),
        ]
        indexes = [
            models.Index(fields=["customer", "-id"], name="payment_by_customer"),
            models.Index(fields=["check_at"], condition=Q(check_at__isnull=False), name="payment_to_check"),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)
