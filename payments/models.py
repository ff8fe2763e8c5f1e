"""Money that a customer pays in through a gateway: one attempt, from the first click to its end."""

from functools import partial

from django.conf import settings
from django.db import models
from django.db.models import Q

from core.ids import new_id
from core.models import MadeOnce
from ledger.money import Money
from subscriptions.models import Plan, Subscription


class Payment(MadeOnce):
    """One attempt to pay. Credits the wallet once, when it becomes `confirmed`. Moves along transitions.MOVES only."""

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
            models.UniqueConstraint(fields=["customer", "idempotency_key"], name="one_payment_per_request"),
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


class WebhookEvent(models.Model):
    """A verified notification. Treated as a hint: processing fetches the object it names."""

    class Status(models.TextChoices):
        RECEIVED = "received", "received"
        PROCESSED = "processed", "processed"
        # For a payment we do not know (yet), or one that waits for staff. Retried, never dropped.
        PARKED = "parked", "parked"
        IGNORED = "ignored", "ignored"

    gateway = models.CharField(max_length=20)
    event_id = models.CharField(max_length=120)
    type = models.CharField(max_length=80)
    # The gateway's id of what it is about.
    gateway_id = models.CharField(max_length=120)
    payload = models.JSONField()
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.RECEIVED)
    # What processing came to, in words for staff.
    outcome = models.CharField(max_length=300, default="", blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    received_at = models.DateTimeField()
    processed_at = models.DateTimeField(null=True)
    # The sweeper takes it up at this instant; null: done.
    next_try_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["gateway", "event_id"], name="webhook_event_is_stored_once")]
        indexes = [
            models.Index(fields=["next_try_at"], condition=Q(next_try_at__isnull=False), name="webhook_event_due"),
        ]

    def __str__(self) -> str:
        return f"{self.gateway} {self.type} {self.event_id}"
