"""The event log, acts of staff, the positions of readers, mails, and addresses that cannot be reached."""

from functools import partial

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex, GinIndex
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Lower, Now
from django.utils.translation import gettext_lazy as _

from core.ids import new_id
from events import act_titles

# The number of the current database transaction (xid8, which never wraps around). A bigint is easier to compare.
CURRENT_TRANSACTION = Func(
    function="pg_current_xact_id", template="%(function)s()::text::bigint", output_field=models.BigIntegerField()
)


class Event(models.Model):
    """Something that happened to a customer. Append-only; mails and outbound webhooks are made from events.

    Only events.outbox writes it.
    """

    # No index of its own: event_by_customer begins with this column.
    customer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="events", db_index=False
    )
    # Such as `subscription.renewed`, `payment.confirmed`.
    type = models.CharField(max_length=60)
    # Public id of the object concerned: `sub_...`, `pay_...`.
    subject = models.CharField(max_length=40)
    data = models.JSONField(default=dict)
    # When it took effect by the rules. A billing run that is late dates it back to the scheduled time.
    effective_at = models.DateTimeField()
    # When the row was written.
    created_at = models.DateTimeField(db_default=Now())
    # The number of the database transaction that wrote it. By it, events.reader knows which events are committed.
    transaction_number = models.BigIntegerField(db_default=CURRENT_TRANSACTION, editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["customer", "-id"], name="event_by_customer"),
            models.Index(fields=["subject", "id"], name="event_by_subject"),
            models.Index(fields=["transaction_number"], name="event_by_transaction"),
            BrinIndex(fields=["created_at"], name="event_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.subject}"


class StaffAct(models.Model):
    """What a member of staff did, or read of what is secret. Append-only; only events.staff_acts writes it."""

    public_id = models.CharField(max_length=40, unique=True, default=partial(new_id, "act"), editable=False)
    # The key of the page that was sent: sent twice, it is one act.
    key = models.CharField(max_length=64, unique=True)
    # Such as `payment.refund`; `view.` and a name for what was read, not changed.
    kind = models.CharField(_("act"), max_length=60)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False, verbose_name=_("made by")
    )
    # Whom it is about, if it is about a customer.
    customer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False, null=True,
        verbose_name=_("customer"),
    )  # fmt: skip
    # Labels of the rows that it is about, such as `payments.payment:12`, the first one first.
    objects_touched = ArrayField(models.CharField(max_length=100), default=list)
    # The title of the act in English and the name of its first row, as they were then. Readers see `shown_title`.
    title = models.CharField(_("title"), max_length=200)
    subject = models.CharField(_("subject"), max_length=200)
    reason = models.CharField(_("reason"), max_length=300, default="", blank=True)
    # What came of it, in a sentence.
    result = models.CharField(_("result"), max_length=500, default="", blank=True)
    # Lists of name, text before and text after.
    changes = models.JSONField(_("what changed"), default=list)
    address = models.GenericIPAddressField(_("address"), null=True)
    created_at = models.DateTimeField(_("time"), db_default=Now())

    class Meta:
        indexes = [
            BrinIndex(fields=["created_at"], name="act_by_time"),
            models.Index(fields=["customer", "-id"], name="act_by_customer"),
            models.Index(fields=["author", "-id"], name="act_by_author"),
            models.Index(fields=["kind", "-id"], name="act_by_kind"),
            GinIndex(fields=["objects_touched"], name="act_by_object"),
        ]

    def __str__(self) -> str:
        return f"{self.shown_title}: {self.subject}"

    @property
    def shown_title(self) -> str:
        """The title of the act in the language of who reads it."""
        return act_titles.title_of(self.kind, self.title)


class EventReader(models.Model):
    """How far a reader of the event log has come. Only events.reader writes it; its docstring explains the columns."""

    name = models.CharField(max_length=20, primary_key=True)
    # The window [window_start, window_end) of transaction numbers that is being read, and the last event read in it.
    window_start = models.BigIntegerField(default=0)
    window_end = models.BigIntegerField(default=0)
    last_id = models.BigIntegerField(default=0)
    # The highest id of all windows so far.
    highest_id = models.BigIntegerField(default=0)
    # Events up to this id are done, whatever their transaction number: they come from another server.
    floor_id = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return self.name


class Mail(models.Model):
    """A mail to a customer: waiting, sent, or why it was not sent.

    events.mails.fan_out makes it from events, events.mails.backend from a mail of the log-in; events.mails.delivery
    sends it.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        SENT = "sent", _("sent")
        # There was nothing to tell any more, or the customer does not want it or cannot be reached.
        SKIPPED = "skipped", _("not sent")
        # It could not be sent, and waits for staff.
        PARKED = "parked", _("parked")
        GIVEN_UP = "given_up", _("given up by staff")

    # The kind of the mails that events.mails.backend stores. All others are kinds of events.mails.kinds.
    LOGIN = "login"

    # Its Message-ID begins with this, at each try, so that a mail that was delivered twice can be recognised.
    public_id = models.CharField(max_length=40, unique=True, default=partial(new_id, "mail"), editable=False)
    # Null for a mail of the log-in to an address that nobody has.
    customer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="mails", db_index=False, null=True
    )
    # The name of its events.mails.kinds.Kind, or LOGIN.
    kind = models.CharField(_("kind"), max_length=40)
    # What it is about: there is one mail for each cause.
    cause = models.CharField(max_length=120)
    # Ids of the events that it tells of.
    events = ArrayField(models.BigIntegerField(), default=list)
    state = models.CharField(_("status"), max_length=10, choices=State.choices, default=State.WAITING)
    # Why it was parked or not sent, or why the last try failed.
    reason = models.CharField(_("reason"), max_length=300, default="", blank=True)
    # Before all others, whatever waits: somebody waits for it at the log-in.
    is_urgent = models.BooleanField(default=False)
    # Where it was sent to, or is to be sent to.
    address = models.CharField(_("address"), max_length=254, default="", blank=True)
    subject = models.CharField(_("subject"), max_length=300, default="", blank=True)
    # Only of a log-in mail, and only until it is sent: it may have a link that opens the account.
    text = models.TextField(default="", blank=True)
    html = models.TextField(default="", blank=True)

    created_at = models.DateTimeField(_("created"))
    # When it is tried next, or until when a worker has it; null once it is closed.
    due_at = models.DateTimeField(null=True)
    # If it has not been sent by then, it is parked.
    park_at = models.DateTimeField()
    tries = models.PositiveIntegerField(_("tries"), default=0)
    tried_at = models.DateTimeField(null=True)
    # How often staff had it sent once more. Each time it has another Message-ID, or mail programs would hide it.
    resends = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(_("sent"), null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["customer", "kind", "cause"], name="one_mail_for_each_cause"),
            models.CheckConstraint(
                condition=Q(state="waiting", due_at__isnull=False) | (~Q(state="waiting") & Q(due_at__isnull=True)),
                name="only_a_waiting_mail_is_due",
            ),
            models.CheckConstraint(
                condition=Q(state="sent", sent_at__isnull=False, text="", html="")
                | (~Q(state="sent") & Q(sent_at__isnull=True)),
                name="a_sent_mail_has_a_time_and_no_body",
            ),
        ]
        indexes = [
            BrinIndex(fields=["created_at"], name="mail_by_time"),
            models.Index(F("is_urgent").desc(), "due_at", "id", condition=Q(state="waiting"), name="mail_to_send"),
            models.Index(fields=["customer", "id"], condition=Q(state="waiting"), name="mail_waiting_by_customer"),
            models.Index(fields=["park_at"], condition=Q(state="waiting"), name="mail_to_park"),
            models.Index(fields=["tried_at"], condition=Q(tried_at__isnull=False), name="mail_by_try"),
            models.Index(fields=["address", "-id"], name="mail_by_address"),
            models.Index(fields=["state", "-id"], name="mail_by_state"),
        ]

    @property
    def can_be_resent(self) -> bool:
        """Whether it can be sent once more: it is closed, and is not one of the log-in, whose body is not kept."""
        return self.state != self.State.WAITING and self.kind != self.LOGIN

    def __str__(self) -> str:
        return self.public_id


class UnreachableAddress(models.Model):
    """An address at which mails bounced. None are sent to it until staff delete this row or the customer changes it."""

    # In lower case.
    address = models.CharField(_("address"), max_length=254)
    reason = models.CharField(_("reason"), max_length=300, default="", blank=True)
    bounced_at = models.DateTimeField(_("bounced"))

    class Meta:
        verbose_name_plural = "unreachable addresses"
        constraints = [models.UniqueConstraint(Lower("address"), name="one_row_for_each_unreachable_address")]

    def __str__(self) -> str:
        return self.address
