"""Money that staff credit, debit or write off by hand."""

from functools import partial

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.ids import new_id
from core.models import MadeOnce
from ledger.money import Money

ONE_PERSON = Q(needs_approval=False, status="done", decided_by__isnull=True, decided_at=F("created_at"))
WAITS = Q(needs_approval=True, status="waiting", decided_by__isnull=True, decided_at__isnull=True)
SECOND_PERSON = Q(
    Q(needs_approval=True, status__in=("done", "declined"), decided_by__isnull=False, decided_at__isnull=False)
    & ~Q(decided_by=F("asked_by"))
    & ~Q(decided_by=F("customer"))
)
WITHDRAWN = Q(
    needs_approval=True,
    status="withdrawn",
    decided_by__isnull=False,
    decided_by=F("asked_by"),
    decided_at__isnull=False,
)


class Adjustment(MadeOnce):
    """A change of a balance or a debt by hand. It has one transaction once it is `done` (payments.adjustments)."""

    class Kind(models.TextChoices):
        CREDIT = "credit", _("credit")
        DEBIT = "debit", _("debit")
        WRITE_OFF = "write_off", _("write-off of a debt")

    class Status(models.TextChoices):
        WAITING = "waiting", _("waits for approval")
        DONE = "done", _("done")
        DECLINED = "declined", _("declined")
        WITHDRAWN = "withdrawn", _("withdrawn")

    public_id = models.CharField(max_length=40, unique=True, default=partial(new_id, "adj"), editable=False)
    customer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="adjustments")
    # Minor units of `currency`, above zero whatever the kind.
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    # Why. The customer reads it beside the transaction.
    reason = models.CharField(max_length=200)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    # Whether it was above the limit when it was asked for, so that a second person decides.
    needs_approval = models.BooleanField()
    status = models.CharField(max_length=10, choices=Status.choices)
    # Who approved, declined or withdrew it; null while it waits, and if one person was enough.
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    # Why it was decided so. Only staff read it.
    decision_reason = models.CharField(max_length=200, default="", blank=True)

    class Meta:
        verbose_name = _("adjustment")
        verbose_name_plural = _("adjustments")
        # Django's own `add` permission lets staff ask.
        permissions = [("approve_adjustment", "Can approve and decline adjustments that colleagues ask for")]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="adjustment_is_more_than_zero"),
            models.CheckConstraint(condition=Q(currency__regex="^[A-Z]{3}$"), name="adjustment_currency_is_iso_4217"),
            models.CheckConstraint(
                condition=Q(kind__in=("credit", "debit", "write_off")), name="adjustment_kind_is_known"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="adjustment_has_a_reason"),
            models.CheckConstraint(
                condition=ONE_PERSON | WAITS | SECOND_PERSON | WITHDRAWN,
                name="adjustment_above_the_limit_takes_a_second_person",
            ),
            models.CheckConstraint(condition=~Q(asked_by=F("customer")), name="adjustment_is_not_of_ones_own_money"),
            models.UniqueConstraint(fields=["idempotency_key"], name="one_adjustment_per_request"),
        ]
        indexes = [
            # What an author did alone for a customer in the last day counts against the limit.
            models.Index(fields=["asked_by", "customer", "created_at"], name="adjustment_by_author"),
            models.Index(fields=["id"], condition=Q(status="waiting"), name="adjustment_waiting"),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)
