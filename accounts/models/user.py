"""Who: one account for a customer or a member of staff."""

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
