"""Tables of bank transfers and cash. The rest of the code reaches them through the gateway protocol.

All amounts of a transfer, its receipts and its refunds are in minor units of the transfer's currency.
"""

from functools import partial

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.ids import new_id
from ledger.money import Money
from payments.gateways.manual import references


class ManualTransfer(models.Model):
    """Money that a customer wants to send us, known by its reference number."""

    class Status(models.TextChoices):
        OPEN = "open", _("waiting for money")
        # Staff said that nothing more is expected. Final.
        RECEIVED = "received", _("received")
        CANCELLED = "cancelled", _("cancelled")

    transfer_id = models.CharField(_("id"), max_length=40, unique=True, default=partial(new_id, "mtr"), editable=False)
    # The same key returns the same transfer.
    idempotency_key = models.CharField(_("payment"), max_length=100, unique=True)
    # Ten digits, see references.py. What the customer writes in the bank's form.
    reference = models.CharField(_("reference number"), max_length=10, unique=True)
    # What we asked for. What arrived may differ: see the receipts.
    amount = models.BigIntegerField(_("amount"))
    currency = models.CharField(_("currency"), max_length=3)
    description = models.CharField(_("description"), max_length=200, blank=True)
    # Our public id of the customer, if we were told.
    customer = models.CharField(_("customer"), max_length=64, blank=True)
    return_url = models.CharField(max_length=500)
    language = models.CharField(_("language"), max_length=8, default="en")
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.OPEN)
    created_at = models.DateTimeField(_("created"))
    # From then on the page asks for no money any more. What arrives later is recorded all the same.
    expires_at = models.DateTimeField(_("expires"))
    # When it was received or cancelled. Money that arrives for a cancelled one opens it again.
    closed_at = models.DateTimeField(_("closed"), null=True)
    # Who said that nothing more is expected.
    completed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, verbose_name=_("completed by")
    )

    class Meta:
        verbose_name = _("transfer")
        verbose_name_plural = _("transfers")
        indexes = [models.Index(fields=["created_at"], name="manual_transfer_created")]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="manual_transfer_is_more_than_zero"),
            models.CheckConstraint(
                condition=Q(status="open", closed_at__isnull=True) | ~Q(status="open") & Q(closed_at__isnull=False),
                name="an_open_manual_transfer_is_not_closed",
            ),
            models.CheckConstraint(
                condition=Q(status="received", completed_by__isnull=False)
                | ~Q(status="received") & Q(completed_by__isnull=True),
                name="a_received_manual_transfer_names_who_completed_it",
            ),
        ]

    def __str__(self) -> str:
        return references.written(self.reference)

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)


class ManualReceipt(models.Model):
    """Money that arrived for a transfer, recorded by a member of staff. Never changed; a mistake is voided."""

    transfer = models.ForeignKey(
        ManualTransfer, on_delete=models.PROTECT, related_name="receipts", verbose_name=_("transfer")
    )
    amount = models.BigIntegerField(_("amount"))
    received_on = models.DateField(_("received on"))
    # The bank's number of the operation, or the number of the cash voucher.
    bank_reference = models.CharField(_("bank reference"), max_length=64)
    # What the payer wrote as the purpose of the payment, if staff keep it.
    note = models.CharField(_("payer's note"), max_length=200, default="", blank=True)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("recorded by")
    )
    recorded_at = models.DateTimeField(_("recorded"))
    voided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, verbose_name=_("voided by")
    )
    voided_at = models.DateTimeField(_("voided"), null=True)
    void_reason = models.CharField(_("reason"), max_length=200, blank=True)
    # True if its transfer counted as paid when it was voided. The transfer goes on counting with it, and reports the
    # same sum as a refund: the customer had the money, and it was taken back.
    is_taken_back = models.BooleanField(_("taken back"), default=False)

    class Meta:
        verbose_name = _("receipt of a transfer")
        verbose_name_plural = _("receipts of transfers")
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="manual_receipt_is_more_than_zero"),
            models.CheckConstraint(condition=~Q(bank_reference=""), name="manual_receipt_has_a_bank_reference"),
            models.UniqueConstraint(
                fields=["bank_reference"],
                condition=Q(voided_at__isnull=True),
                name="manual_bank_reference_is_recorded_once",
            ),
            models.CheckConstraint(
                condition=Q(voided_at__isnull=True, voided_by__isnull=True)
                | Q(voided_at__isnull=False, voided_by__isnull=False),
                name="a_void_manual_receipt_names_who_voided_it",
            ),
            models.CheckConstraint(
                condition=Q(is_taken_back=False) | Q(voided_at__isnull=False),
                name="only_a_void_manual_receipt_is_taken_back",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.money} {self.bank_reference}"

    @property
    def money(self) -> Money:
        return Money(self.amount, self.transfer.currency)


class ManualRefund(models.Model):
    """Money of a received transfer that staff must send back, and then mark as sent."""

    class Status(models.TextChoices):
        PENDING = "pending", _("to be sent")
        SENT = "sent", _("sent")
        FAILED = "failed", _("not sent")

    refund_id = models.CharField(_("id"), max_length=40, unique=True, default=partial(new_id, "mre"), editable=False)
    transfer = models.ForeignKey(
        ManualTransfer, on_delete=models.PROTECT, related_name="refunds", verbose_name=_("transfer")
    )
    # The same key returns the same refund.
    idempotency_key = models.CharField(_("refund"), max_length=100, unique=True)
    amount = models.BigIntegerField(_("amount"))
    description = models.CharField(_("description"), max_length=300, blank=True)
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.PENDING)
    created_at = models.DateTimeField(_("created"))
    # Set once, when staff have sent it or given it up.
    closed_at = models.DateTimeField(_("closed"), null=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, verbose_name=_("closed by")
    )
    # The bank's number of our transfer back.
    bank_reference = models.CharField(_("bank reference"), max_length=64, blank=True)
    failure_reason = models.CharField(_("reason"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("refund of a transfer")
        verbose_name_plural = _("refunds of transfers")
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="manual_refund_is_more_than_zero"),
            models.CheckConstraint(
                condition=Q(status="pending", closed_at__isnull=True, closed_by__isnull=True)
                | ~Q(status="pending") & Q(closed_at__isnull=False, closed_by__isnull=False),
                name="a_closed_manual_refund_names_who_closed_it",
            ),
            models.CheckConstraint(
                condition=~Q(status="sent") | ~Q(bank_reference=""), name="a_sent_manual_refund_has_a_bank_reference"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.money} {self.refund_id}"

    @property
    def money(self) -> Money:
        return Money(self.amount, self.transfer.currency)
