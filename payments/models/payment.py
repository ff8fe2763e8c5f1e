"""Payments through a gateway."""

from functools import cache, partial

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext, override
from django.utils.translation import gettext_lazy as _

from core.ids import new_id
from core.models import MadeOnce
from ledger.money import Money
from payments.models.collection import Collection
from payments.models.method import PaymentMethod
from subscriptions.models import Plan, Subscription


class Payment(MadeOnce):
    """One attempt to pay in.

    It credits the wallet once, when it becomes `confirmed`. Its status changes only as transitions.MOVES allows.
    """

    class Status(models.TextChoices):
        PENDING = "pending", _("pending")
        UNKNOWN = "unknown", _("unknown")
        CONFIRMED = "confirmed", _("confirmed")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")
        EXPIRED = "expired", _("expired")

    # How the `purpose` of a payment begins that is for a change of its subscription.
    CHANGE = "change:"

    public_id = models.CharField(max_length=40, unique=True, default=partial(new_id, "pay"), editable=False)
    # An id that the client chose, unique for the customer; the API then calls the payment by it.
    client_payment_id = models.CharField(max_length=40, null=True, editable=False)
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

    # A charge of a saved method while the customer is away, and the collection that it is an attempt of. Both are empty
    # for a payment on a page. The request for a charge is sent once (payments.collection.attempts).
    method = models.ForeignKey(
        PaymentMethod, on_delete=models.PROTECT, null=True, related_name="charges", editable=False
    )
    collection = models.ForeignKey(
        Collection, on_delete=models.PROTECT, null=True, related_name="attempts", editable=False
    )
    # What the failure of a charge means (gateways.charges.Decline); empty if it has not failed.
    decline = models.CharField(max_length=20, default="", blank=True, editable=False)

    gateway = models.CharField(max_length=20)
    # The gateway's id of the payment. Set once, when the gateway answers; null before.
    gateway_id = models.CharField(max_length=120, null=True)
    # The state (gateways.sessions.State) in the gateway's last answer, for the payment page and staff.
    gateway_state = models.CharField(max_length=20, default="", blank=True, editable=False)
    # The address of the gateway's page. Real ones may have thousands of characters.
    confirmation_url = models.TextField(default="", blank=True)
    # The language of the page that started it; the gateway sends the customer back to a page in it.
    language = models.CharField(max_length=8, default="", blank=True, editable=False)

    # The gateway's code for why it failed, for staff. Customers read the texts in payments.failures.
    failure_code = models.CharField(max_length=60, default="", blank=True)
    # Set when the gateway took something other than we requested. The payment then waits for staff.
    parked_reason = models.CharField(max_length=200, default="", blank=True)
    # What the gateway took, in minor units of `received_currency`: what is credited, unless the payment is parked.
    amount_received = models.BigIntegerField(null=True, editable=False)
    received_currency = models.CharField(max_length=3, default="", blank=True, editable=False)
    # The sum of its refunds that have not failed. Only the trigger on refunds changes it.
    amount_refunded = models.BigIntegerField(default=0, editable=False)
    # What the gateway keeps, in minor units of `fee_currency`, that of the seller's account; null while not known.
    fee = models.BigIntegerField(null=True, editable=False)
    fee_currency = models.CharField(max_length=3, default="", blank=True, editable=False)
    # Whether the customer agreed that the gateway keeps the payment method.
    save_method = models.BooleanField(default=False, editable=False)

    # What a program sent with it: the pages to which the customer goes back (payments.return_urls; empty: ours), its
    # own reference, and texts by key.
    success_url = models.CharField(max_length=500, default="", db_default="", blank=True, editable=False)
    cancel_url = models.CharField(max_length=500, default="", db_default="", blank=True, editable=False)
    client_reference_id = models.CharField(max_length=200, default="", db_default="", blank=True, editable=False)
    metadata = models.JSONField(default=dict, db_default={}, blank=True, editable=False)

    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    # When `status` or `gateway_state` last changed.
    updated_at = models.DateTimeField()
    # When the wallet was credited. Set once.
    confirmed_at = models.DateTimeField(null=True)
    # Who paid, as they were then (accounts.billing_details), for the receipt. Set with `confirmed_at`; empty for older
    # payments.
    billed_to = models.JSONField(default=dict, db_default={}, blank=True, editable=False)
    # When reconciliation next checks the payment at its gateway; null once there is nothing left to check.
    check_at = models.DateTimeField(null=True)
    checks = models.PositiveSmallIntegerField(default=0)
    # How often in a row the check has raised (payments.sweeps).
    failures = models.PositiveSmallIntegerField(default=0, editable=False)
    # Since when nobody wants it any more: its subscription started or ended in another way, or the customer gave it up
    # and its gateway cannot close the page. Money that still comes is credited.
    closing_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        permissions = [
            ("refund_payment", "Can refund payments"),
            ("decide_payment", "Can accept and send back what parked payments have brought"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="payment_is_more_than_zero"),
            models.CheckConstraint(
                condition=Q(status="confirmed", confirmed_at__isnull=False)
                | (~Q(status="confirmed") & Q(confirmed_at__isnull=True)),
                name="only_a_confirmed_payment_was_confirmed",
            ),
            models.CheckConstraint(
                condition=Q(amount_refunded=0)
                | Q(amount_refunded__gt=0, amount_refunded__lte=models.F("amount_received")),
                name="refunds_never_exceed_the_payment",
            ),
            models.CheckConstraint(
                condition=Q(amount_received__isnull=True, received_currency="")
                | Q(amount_received__gt=0, received_currency__regex="^[A-Z]{3}$"),
                name="what_was_received_has_a_currency",
            ),
            models.CheckConstraint(
                condition=~Q(status="confirmed") | Q(amount_received__isnull=False),
                name="a_confirmed_payment_has_received_money",
            ),
            models.CheckConstraint(
                condition=Q(fee__isnull=True, fee_currency="") | Q(fee__isnull=False, fee_currency__regex="^[A-Z]{3}$"),
                name="a_fee_has_a_currency",
            ),
            models.UniqueConstraint(fields=["gateway", "gateway_id"], name="one_payment_per_gateway_object"),
            models.UniqueConstraint(fields=["customer", "client_payment_id"], name="client_payment_id_is_used_once"),
            models.UniqueConstraint(fields=["customer", "idempotency_key"], name="one_payment_per_request"),
            models.UniqueConstraint(
                fields=["subscription"],
                condition=Q(status__in=["pending", "unknown"], parked_reason="", closing_at=None),
                name="one_open_payment_per_subscription",
            ),
            models.UniqueConstraint(
                fields=["customer", "purpose"],
                condition=Q(status__in=["pending", "unknown"], parked_reason="", closing_at=None) & ~Q(purpose=""),
                name="one_open_payment_per_purpose",
            ),
            models.UniqueConstraint(
                fields=["collection"],
                condition=Q(status__in=["pending", "unknown"]),
                name="one_open_attempt_per_collection",
            ),
            models.CheckConstraint(
                condition=Q(method__isnull=True, collection__isnull=True)
                | Q(method__isnull=False, collection__isnull=False, subscription__isnull=True, plan__isnull=True),
                name="a_charge_is_an_attempt_to_top_up",
            ),
        ]
        indexes = [
            BrinIndex(fields=["created_at"], name="payment_by_time"),
            models.Index(fields=["customer", "-id"], name="payment_by_customer"),
            models.Index(fields=["check_at"], condition=Q(check_at__isnull=False), name="payment_to_check"),
            # For the comparison with the gateway's list, day by day.
            models.Index(fields=["gateway", "created_at"], name="payment_by_gateway_and_time"),
            # What waits for staff is counted every few seconds (billing_site.status).
            models.Index(fields=["id"], condition=~Q(parked_reason=""), name="payment_parked"),
            # What staff read on the first page of the desk, and the figure of failed payments.
            models.Index(fields=["id"], condition=Q(status="unknown"), name="payment_without_answer"),
            models.Index(fields=["currency", "updated_at"], condition=Q(status="failed"), name="payment_failed"),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)

    @property
    def is_charge(self) -> bool:
        """Whether it charges a saved method, so that it has no page of the gateway."""
        return self.method_id is not None

    @property
    def is_for_change(self) -> bool:
        """Whether it is for a change of its subscription."""
        return self.purpose.startswith(self.CHANGE)

    @property
    def plan_sold(self) -> Plan | None:
        """The plan that it is for, or that of its subscription; None for a top-up."""
        return self.plan or (self.subscription.price.plan if self.subscription else None)

    @property
    def own_description(self) -> str:
        """What the customer typed as its description; empty if ours stands there, in whatever language."""
        plan = self.plan_sold
        ours = _top_ups() if plan is None else {plan.name, plan.name_ru}
        return "" if self.description in ours else self.description

    @property
    def reference(self) -> str:
        """The id by which the customer's programs call it: the one they chose, or else the public id."""
        return self.client_payment_id or self.public_id

    @property
    def received(self) -> Money | None:
        """What the gateway took, None while nothing was taken."""
        return None if self.amount_received is None else Money(self.amount_received, self.received_currency)

    @property
    def refunded(self) -> Money:
        """The sum of its refunds that have not failed."""
        return Money(self.amount_refunded, self.received_currency or self.currency)

    @property
    def refundable(self) -> int:
        """What can still be refunded, in minor units of `received_currency`."""
        return (self.amount_received or 0) - self.amount_refunded

    @property
    def is_sent_back(self) -> bool:
        """Whether the gateway took something else than we asked for, and all of it was sent back or is on its way."""
        is_without_credit = self.status in (self.Status.CANCELLED, self.Status.UNKNOWN)
        return is_without_credit and self.received is not None and self.refundable == 0


@cache
def _top_ups() -> frozenset[str]:
    """Return the word for a top-up in each language."""
    names = set()
    for language, _name in settings.LANGUAGES:
        with override(language):
            names.add(gettext("Top-up"))
    return frozenset(names)
