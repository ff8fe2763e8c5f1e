"""What keeps a request from being done twice: the key on the row it made, and the answer it got."""

from django.db import models


class MadeOnce(models.Model):
    """A row that one request makes once. The same request again finds it (core.idempotency.find)."""

    # The request's key in its stored form (core.idempotency.key_of). Null: the request had none.
    idempotency_key = models.CharField(max_length=64, null=True, editable=False)
    # What the request asked for: the same key with other terms is refused.
    fingerprint = models.CharField(max_length=64, null=True, editable=False)

    class Meta:
        abstract = True


class IdempotencyKey(models.Model):
    """The answer given to one `Idempotency-Key` of one user. In flight while `status` is null."""

    # The user's primary key. No foreign key: accounts stand above core, and rows are deleted after 30 days.
    user_id = models.BigIntegerField()
    key = models.CharField(max_length=255)
    # Of method, path and body: the same key with another request is an error.
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    body = models.JSONField(null=True)
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user_id", "key"], name="idempotency_key_is_used_once")]

    def __str__(self) -> str:
        return self.key
