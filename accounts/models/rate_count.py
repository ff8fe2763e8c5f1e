"""A counter of accounts.rates."""

from django.db import models


class RateCount(models.Model):
    """How often one thing happened in its current window."""

    # SHA-256 of what is counted, in hex: no address and no name stands here in the clear.
    key = models.CharField(max_length=64, primary_key=True)
    hits = models.PositiveIntegerField()
    ends_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.key[:8]} {self.hits}"
