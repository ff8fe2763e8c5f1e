"""Models of what every app uses: idempotency keys, and what the site knows about its own tasks and checks."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class MadeOnce(models.Model):
    """A row that a request makes only once. A repeated request finds it (core.idempotency.find)."""

    # The request's key as core.idempotency.key_of returns it, null if it had none. Set on creation, never changed.
    idempotency_key = models.CharField(max_length=64, null=True, editable=False)
    # Fingerprint of the request: the same key with another fingerprint is refused. Set with the key.
    fingerprint = models.CharField(max_length=64, null=True, editable=False)

    class Meta:
        abstract = True


class IdempotencyKey(models.Model):
    """The stored answer to one user's `Idempotency-Key`. The request is running while `status` is null."""

    # The user's primary key. No foreign key: core may not import accounts, and rows are deleted after 30 days.
    user_id = models.BigIntegerField()
    key = models.CharField(max_length=255)
    # Fingerprint of method, path and body. The same key with another fingerprint is an error.
    fingerprint = models.CharField(max_length=64)
    # HTTP status and body of the answer, set once by core.api.idempotency.keep.
    status = models.PositiveSmallIntegerField(null=True)
    body = models.JSONField(null=True)
    # Set in the transaction of a change that makes no row of its own: the same request changes nothing more.
    is_carried_out = models.BooleanField(db_default=False)
    created_at = models.DateTimeField(db_index=True)
    # The database session of the request that claimed the key, set by the claim. When it ends, so has the request.
    # 0 if the request has released the key.
    session_pid = models.IntegerField(null=True)
    session_started_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user_id", "key"], name="idempotency_key_is_used_once")]

    def __str__(self) -> str:
        return self.key


class TaskRun(models.Model):
    """How the last run of a periodic task ended, one row a task. Only billing_site.task_runs writes it."""

    # The task's name, such as `subscriptions.tasks.bill_due`.
    task = models.CharField(_("task"), max_length=100, primary_key=True)
    # When the last run ended, and the last one without an error, by the database's clock.
    finished_at = models.DateTimeField(_("finished"))
    succeeded_at = models.DateTimeField(_("without an error"), null=True)
    # How long the last run took, and all runs together, in seconds.
    seconds = models.FloatField(_("seconds"))
    total_seconds = models.FloatField(default=0)
    runs = models.BigIntegerField(_("runs"), default=0)
    failures = models.BigIntegerField(_("failures"), default=0)
    # The error of the last run, empty if it had none.
    error = models.CharField(_("error"), max_length=300, default="", blank=True)

    class Meta:
        verbose_name = _("task run")
        verbose_name_plural = _("task runs")

    def __str__(self) -> str:
        return self.task


class Heartbeat(models.Model):
    """When a process that serves no requests last said that it lives. The scheduler writes `beat`."""

    name = models.CharField(max_length=20, primary_key=True)
    # By the database's clock.
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class SchedulerProcess(models.Model):
    """One start of the scheduler, from when until when it was seen alive. Only the scheduler writes it."""

    id = models.UUIDField(primary_key=True)
    # Its machine and its process, such as `billing-1, pid 17`.
    place = models.CharField(max_length=200)
    # Both by the database's clock.
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.place


class LedgerCheck(models.Model):
    """The result of one run of all integrity checks. Only billing_site.ledger_checks writes it."""

    started_at = models.DateTimeField(_("started"), db_index=True)
    seconds = models.FloatField(_("seconds"))
    # How many checks were made, and how many wrong rows they found together.
    checks = models.PositiveIntegerField(_("checks"))
    wrong = models.PositiveBigIntegerField(_("wrong rows"))
    # For each broken check: its name, meaning, number of wrong rows and the first of them.
    findings = models.JSONField(_("findings"), default=list)
    # Why the run did not come to an end, empty if it did.
    error = models.CharField(_("error"), max_length=300, default="", blank=True)

    class Meta:
        verbose_name = _("ledger check")
        verbose_name_plural = _("ledger checks")

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M}"

    @property
    def is_clean(self) -> bool:
        """Whether it came to an end and found nothing."""
        return not self.wrong and not self.error
