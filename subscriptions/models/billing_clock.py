"""The billing clock of a wallet, and the trials that a customer has had.

A book is a wallet with its subscriptions. The lock on the wallet's row is the lock on the book.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ledger.models import Account


class BillingClock(models.Model):
    """How far a wallet's book is settled and when it is due. Written by subscriptions.storage under the lock."""

    wallet = models.OneToOneField(Account, on_delete=models.PROTECT, primary_key=True, related_name="billing_clock")
    # The wallet's owner, set at creation. Every busy table has the customer: it is the key to shard by.
    customer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    # The instant up to which the book is settled. An operation with an earlier `now` happens at this instant.
    settled_at = models.DateTimeField(null=True)
    # The next instant at which settling the book changes something; null: never. Set at each settling.
    due_at = models.DateTimeField(null=True)
    # The low-balance notice in force: 72, 24 or 1 hours before the end; null: none. Set at each settling.
    noticed_hours = models.PositiveSmallIntegerField(null=True, help_text=_("Told so many hours before the end."))
    # Set by a billing run whose time ended in this book, or in the batch that it was in. Runs settle it last and alone,
    # so that the others go on.
    slow_at = models.DateTimeField(null=True)
    # Set by a billing run that could not settle the book; runs skip it until staff settle it, which clears both.
    parked_at = models.DateTimeField(null=True)
    parked_reason = models.TextField(default="", blank=True)

    class Meta:
        verbose_name = "billing clock"
        indexes = [
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False, parked_at__isnull=True), name="book_due"),
            # What waits for staff is counted every few seconds (billing_site.status).
            models.Index(fields=["wallet"], condition=Q(parked_at__isnull=False), name="book_parked"),
        ]

    def __str__(self) -> str:
        said = {"customer": self.wallet.owner, "currency": self.wallet.currency}
        return gettext("book of %(customer)s, %(currency)s") % said


class Trial(models.Model):
    """A free trial that a customer has had: one per plan and mailbox, over all currencies."""

    customer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="trials")
    plan = models.ForeignKey("subscriptions.Plan", on_delete=models.PROTECT, related_name="trials")
    started_at = models.DateTimeField()
    # The customer's address at that time, as its provider reads it (mailbox_of in the database): another spelling of
    # it gets no second trial. Empty without an address.
    mailbox = models.CharField(max_length=254, default="", db_default="", editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["customer", "plan"], name="one_trial_per_customer_and_plan")]
        indexes = [models.Index(fields=["mailbox"], condition=~Q(mailbox=""), name="trial_by_mailbox")]

    def __str__(self) -> str:
        return f"{self.customer_id} tried {self.plan_id}"
