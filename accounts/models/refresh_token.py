"""One row for each refresh token given out. The token itself is not stored, only its id."""

import uuid

from django.conf import settings
from django.db import models


class RefreshToken(models.Model):
    """Good for one use. A second use of a spent one means theft and ends the whole family."""

    # The token's `jti` claim.
    jti = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="refresh_tokens")
    # All tokens that came from one log-in by rotation.
    family = models.UUIDField(db_index=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    # Set once, by rotation or log-out. Never cleared.
    spent_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.user_id} until {self.expires_at:%Y-%m-%d %H:%M}"
