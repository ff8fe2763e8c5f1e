"""Reports of the comparison with each gateway's own lists of payments, refunds, disputes and payouts."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from payments.models.payment import Payment


class GatewayReport(models.Model):
    """One comparison with one gateway, of what was made in [since, until)."""

    gateway = models.CharField(max_length=20)
    since = models.DateTimeField()
    until = models.DateTimeField()
    started_at = models.DateTimeField()
    # Null while it runs, and for ever if its process ended before.
    finished_at = models.DateTimeField(null=True)
    # What could not be asked, in a sentence for staff; empty if the lists were complete.
    payments_failure = models.CharField(max_length=300, default="", blank=True)
    refunds_failure = models.CharField(max_length=300, default="", blank=True)
    disputes_failure = models.CharField(max_length=300, default="", blank=True)
    payouts_failure = models.CharField(max_length=300, default="", blank=True)
    # How many payments the gateway listed, and how many of ours were looked for in its list.
    payments_there = models.PositiveIntegerField(default=0)
    payments_here = models.PositiveIntegerField(default=0)
    refunds_there = models.PositiveIntegerField(default=0)
    refunds_here = models.PositiveIntegerField(default=0)
    disputes_there = models.PositiveIntegerField(default=0)
    # What was posted because of it.
    fees_posted = models.PositiveIntegerField(default=0)
    payouts_posted = models.PositiveIntegerField(default=0)
    # The rows of Discrepancy: those that were mended, and those that wait for staff.
    mended = models.PositiveIntegerField(default=0)
    left = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["gateway", "-id"], name="report_by_gateway")]

    def __str__(self) -> str:
        return f"{self.gateway} {self.started_at:%Y-%m-%d %H:%M}"

    @property
    def failures(self) -> list[str]:
        """What could not be asked."""
        all_lists = (self.payments_failure, self.refunds_failure, self.disputes_failure, self.payouts_failure)
        return [failure for failure in all_lists if failure]

    @property
    def is_complete(self) -> bool:
        """Whether it came to its end and all lists were complete."""
        return self.finished_at is not None and not self.failures


class Discrepancy(models.Model):
    """One payment, refund or dispute about which we and the gateway say different things."""

    class Subject(models.TextChoices):
        PAYMENT = "payment", _("payment")
        REFUND = "refund", _("refund")
        DISPUTE = "dispute", _("dispute")

    class Kind(models.TextChoices):
        # The gateway lists one that we do not have.
        MISSING_HERE = "missing_here", _("missing here")
        # We have one that the gateway does not know.
        MISSING_THERE = "missing_there", _("missing at the gateway")
        # It took another amount, or keeps another fee, than we have booked.
        AMOUNT = "amount", _("amount")
        CURRENCY = "currency", _("currency")
        STATUS = "status", _("status")

    report = models.ForeignKey(GatewayReport, on_delete=models.CASCADE, related_name="discrepancies")
    subject = models.CharField(max_length=10, choices=Subject.choices, default=Subject.PAYMENT)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    # The gateway's id of the payment, refund or dispute; empty if ours has none.
    gateway_id = models.CharField(max_length=120, default="", blank=True)
    # The payment itself, or the one that was refunded or disputed, if we know it.
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, null=True, related_name="+")
    # What each side said when they were compared: `confirmed, 500.00 RUB`. Empty for the side that has nothing.
    ours = models.CharField(max_length=200, default="", blank=True)
    theirs = models.CharField(max_length=200, default="", blank=True)
    is_mended = models.BooleanField(default=False)
    # How it was mended, or why it was not.
    outcome = models.CharField(max_length=300, default="", blank=True)
    # The member of staff who had it mended, and when. Null if the comparison itself did, or nobody yet.
    mended_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    mended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(mended_by__isnull=True, mended_at__isnull=True)
                | Q(mended_by__isnull=False, mended_at__isnull=False, is_mended=True),
                name="who_mended_a_discrepancy_says_when",
            ),
            models.CheckConstraint(
                condition=Q(payment__isnull=False) | Q(kind="missing_here"),
                name="only_what_is_missing_here_has_no_payment",
            ),
        ]
        # What staff read on the first page of the desk.
        indexes = [models.Index(fields=["id"], condition=Q(is_mended=False), name="discrepancy_left")]
        verbose_name_plural = "discrepancies"

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.gateway_id}"
