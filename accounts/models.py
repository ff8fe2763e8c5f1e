"""Who: one account for a customer or a member of staff."""

import uuid

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _


class User(AbstractUser):
    """Logs in by name or by email. Neither may differ from another's only in upper and lower case."""

    class Language(models.TextChoices):
        ENGLISH = "en", "English"
        RUSSIAN = "ru", "Русский"

    email = models.EmailField(_("email address"))
    # Pages follow the address and the browser; mails, which have neither, follow this.
    language = models.CharField(_("language"), max_length=2, choices=Language.choices, default=Language.ENGLISH)
    # Copied into every token. Adding one puts all tokens given out before out of use.
    token_version = models.PositiveIntegerField(default=0, editable=False)

    class Meta(AbstractUser.Meta):
        constraints = [
            models.UniqueConstraint(Lower("email"), name="email_is_unique_whatever_its_case"),
            models.UniqueConstraint(Lower("username"), name="username_is_unique_whatever_its_case"),
        ]

    def set_password(self, raw_password: str | None) -> None:
        """Set the password and put all tokens given out before out of use, once saved."""
        super().set_password(raw_password)
        self.token_version += 1

    def check_password(self, raw_password: str | None) -> bool:
        """Return whether the password is right. A stronger hash of the same password ends no session."""
        version = self.token_version
        is_right = super().check_password(raw_password)
        self.token_version = version
        return is_right


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


class RateCount(models.Model):
    """How often one thing happened in its current window."""

    # SHA-256 of what is counted, in hex: no address and no name stands here in the clear.
    key = models.CharField(max_length=64, primary_key=True)
    hits = models.PositiveIntegerField()
    ends_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.key[:8]} {self.hits}"
