"""Models that keep a request from running twice: the key on the row it made, and the stored answer."""

from django.db import models


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
    session_pid = models.IntegerField(null=True)
    session_started_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user_id", "key"], name="idempotency_key_is_used_once")]

    def __str__(self) -> str:
        return self.key
