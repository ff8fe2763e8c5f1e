"""Payments through a gateway, and the webhook events that gateways send about them."""

from functools import partial

from django.conf import settings
from django.db import models
from django.db.models import Q

from core.ids import new_id
from core.models import MadeOnce
from ledger.money import Money
from subscriptions.models import Plan, Subscription


class Payment(MadeOnce):
    """One attempt to pay in.

    It credits the wallet once, when it becomes `confirmed`. Its status changes only as transitions.MOVES allows.
    """

    class Status(models.TextChoices):
        PENDING = "pending", "pending"
        UNKNOWN = "unknown", "unknown"
        CONFIRMED = "confirmed", "confirmed"
        FAILED = "failed", "failed"
        CANCELLED = "cancelled", "cancelled"
        EXPIRED = "expired", "expired"

    public_id = models.CharField(max_length=40, unique=True, default=partial(new_id, "pay"), editable=False)
    customer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="payments")
    # Minor units of `currency`. The server calculates it and never takes it from the client.
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    description = models.CharField(max_length=200, default="", blank=True)

    # What the payment is for. Both are empty for a top-up.
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, null=True, related_name="payments")
    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, null=True, related_name="payments")
    # True if this checkout created the subscription. It waits for a payment until its time or the customer ends it.
    opened_subscription = models.BooleanField(default=False)
    # What the order itself costs. The amount pays the debt too, and is at least what gateways take.
    order_amount = models.BigIntegerField(default=0, editable=False)
    # Names what the customer wants to pay for, so that a second start goes on with the open payment (open_orders).
    purpose = models.CharField(max_length=100, default="", blank=True, editable=False)

    gateway = models.CharField(max_length=20)
    # The gateway's id of the payment. Set once, when the gateway answers; null before.
    gateway_id = models.CharField(max_length=120, null=True)
    # The state (gateways.base.State) in the gateway's last answer, for the payment page and staff.
    gateway_state = models.CharField(max_length=20, default="", blank=True, editable=False)
    confirmation_url = models.CharField(max_length=500, default="", blank=True)
    # The language of the page that started it; the gateway sends the customer back to a page in it.
    language = models.CharField(max_length=8, default="", blank=True, editable=False)

    # The gateway's code for why it failed, for staff. Customers read the texts in payments.failures.
    failure_code = models.CharField(max_length=60, default="", blank=True)
    # Set when the gateway took something other than we requested. The payment then waits for staff.
    parked_reason = models.CharField(max_length=200, default="", blank=True)
    amount_refunded = models.BigIntegerField(default=0)

    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    # When `status` or `gateway_state` last changed.
    updated_at = models.DateTimeField()
    # When the wallet was credited. Set once.
    confirmed_at = models.DateTimeField(null=True)
    # When reconciliation next checks the payment at its gateway; null once there is nothing left to check.
    check_at = models.DateTimeField(null=True)
    checks = models.PositiveSmallIntegerField(default=0)
    # Since when its page is to be closed, because its subscription started or ended in another way.
    closing_at = models.DateTimeField(null=True, editable=False)

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
            models.UniqueConstraint(
                fields=["customer", "purpose"],
                condition=Q(status__in=["pending", "unknown"], parked_reason="") & ~Q(purpose=""),
                name="one_open_payment_per_purpose",
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
    """A webhook whose signature was valid. Only a hint: processing checks the payment it names at the gateway."""

    class Status(models.TextChoices):
        RECEIVED = "received", "received"
        PROCESSED = "processed", "processed"
        # Could not be processed: the payment is not known (yet), or there was no answer. Retried, never dropped.
        PARKED = "parked", "parked"
        IGNORED = "ignored", "ignored"

    gateway = models.CharField(max_length=20)
    event_id = models.CharField(max_length=120)
    type = models.CharField(max_length=80)
    # The gateway's id of the payment it is about; empty if it is about something else.
    gateway_id = models.CharField(max_length=120)
    payload = models.JSONField()
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.RECEIVED)
    # The result of the last processing, in a sentence for staff.
    outcome = models.CharField(max_length=300, default="", blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    received_at = models.DateTimeField()
    processed_at = models.DateTimeField(null=True)
    # When the sweep tries it next; null once it is done or given up.
    next_try_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["gateway", "event_id"], name="webhook_event_is_stored_once")]
        indexes = [
            models.Index(fields=["next_try_at"], condition=Q(next_try_at__isnull=False), name="webhook_event_due"),
        ]

    def __str__(self) -> str:
        return f"{self.gateway} {self.type} {self.event_id}"
