"""Users (customers and staff), their refresh tokens, and counters of password attempts."""

import uuid
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.functions import Lower, Upper
from django.utils.translation import gettext_lazy as _

from accounts import time_zones

# Staff find customers by any part of these, in either case.
SEARCHED = ("username", "email", "first_name", "last_name")


class User(AbstractUser):
    """A customer or a member of staff, who logs in by user name or email. Both are unique regardless of case."""

    class Language(models.TextChoices):
        ENGLISH = "en", "English"
        RUSSIAN = "ru", "Русский"

    email = models.EmailField(_("email address"))
    # Language of mails. Pages follow the URL instead, the API its Accept-Language. Set at sign-up and by the user.
    language = models.CharField(_("language"), max_length=2, choices=Language.choices, default=Language.ENGLISH)
    # IANA name such as `Europe/Moscow`, for the times in mails and on pages. Empty: the site's. Set by the user.
    time_zone = models.CharField(
        _("time zone"), max_length=64, default="", db_default="", blank=True, validators=[time_zones.check]
    )
    # What receipts say about the customer, beside the name. Each is one line, set by the user.
    company = models.CharField(_("company"), max_length=200, default="", db_default="", blank=True)
    address = models.CharField(_("address"), max_length=300, default="", db_default="", blank=True)
    tax_id = models.CharField(_("tax ID"), max_length=50, default="", db_default="", blank=True)
    # Categories of mails (mail_choices.OPTIONAL) that the user does not want.
    mails_off = ArrayField(
        models.CharField(max_length=20), verbose_name=_("mails switched off"), default=list, db_default=[], blank=True
    )
    # Copied into every token. Increased by a new password and by tokens.end_all, which invalidates all older tokens.
    token_version = models.PositiveIntegerField(default=0, editable=False)

    class Meta(AbstractUser.Meta):
        permissions = [
            ("help_user", "Can change a customer's address, reset the second factor, and send a link for the password"),
            ("block_user", "Can block and unblock customers"),
            ("view_as_user", "Can see the pages of customers"),
        ]
        constraints = [
            models.UniqueConstraint(Lower("email"), name="email_is_unique_whatever_its_case"),
            models.UniqueConstraint(Lower("username"), name="username_is_unique_whatever_its_case"),
        ]
        # In upper case, because that is how Django compares without regard to case. Without a list of pending entries:
        # each search would read it.
        indexes = [
            GinIndex(
                *(OpClass(Upper(name), name="gin_trgm_ops") for name in SEARCHED),
                name="user_by_part_of_name",
                fastupdate=False,
            )
        ]

    @property
    def zone(self) -> ZoneInfo:
        """The time zone for this user's mails and pages."""
        return ZoneInfo(self.time_zone or settings.TIME_ZONE)

    @property
    def greeting_name(self) -> str:
        """The name by which mails greet this user."""
        return self.first_name or self.username

    @property
    def initials(self) -> str:
        """Up to two letters that stand for this user where a picture would: `AP` for Anna Petrova, `B` for boris."""
        names = [self.first_name, self.last_name] if self.first_name and self.last_name else [self.greeting_name]
        return "".join(name[0] for name in names).upper()

    def get_session_auth_hash(self) -> str:
        """Return what a session of the pages must carry. What ends all tokens of the API ends the sessions too."""
        return f"{super().get_session_auth_hash()}-{self.token_version}"

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        """Yield the same for each former SECRET_KEY."""
        for former in super().get_session_auth_fallback_hash():
            yield f"{former}-{self.token_version}"

    def set_password(self, raw_password: str | None) -> None:
        """Set the password. Saving the user then invalidates all older tokens."""
        super().set_password(raw_password)
        self.token_version += 1

    def check_password(self, raw_password: str | None) -> bool:
        """Return whether the password is right. Upgrading the hash of the same password ends no session."""
        version = self.token_version
        is_right = super().check_password(raw_password)
        self.token_version = version
        return is_right


class RefreshToken(models.Model):
    """A refresh token, which works once. A second use, unless at once, means theft and ends the whole family."""

    # The token's `jti` claim.
    jti = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="refresh_tokens")
    # Shared by all tokens that came from one log-in by rotation.
    family = models.UUIDField(db_index=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    # Set once: by rotation, by log-out, or when the family ends. Never cleared.
    spent_at = models.DateTimeField(null=True)
    # The `jti` of the token that rotation gave for this one, so that a repeat gets it too. Null if the family ended.
    successor = models.UUIDField(null=True)

    def __str__(self) -> str:
        return f"{self.user_id} until {self.expires_at:%Y-%m-%d %H:%M}"


class BrowserSession(models.Model):
    """A session of the pages as its user sees it in the settings. Written by accounts.browsers only."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="browser_sessions")
    # The key of Django's session.
    session_key = models.CharField(max_length=40, unique=True, editable=False)
    # What the browser said it is, and the network from which it was used last.
    user_agent = models.CharField(max_length=300, blank=True)
    address = models.GenericIPAddressField()
    # That of the user when it was last seen. A session with an older one does not work any more.
    token_version = models.PositiveIntegerField()
    created_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.user_id} {self.user_agent}"


class RateCount(models.Model):
    """How often something happened in its current time window. Written by brute_force.hit."""

    # SHA-256 in hex of what is counted, so that no name or address is stored in clear text.
    key = models.CharField(max_length=64, primary_key=True)
    hits = models.PositiveIntegerField()
    # End of the window. The first hit after it starts a new window.
    ends_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.key[:8]} {self.hits}"
