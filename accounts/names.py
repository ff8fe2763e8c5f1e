"""User names and email addresses: validation and one normal form (NFKC), so that look-alikes are equal."""

from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.utils.translation import gettext as _

from core.normalization import normalize

# Characters of the longest email address (RFC 5321), and of anything that somebody may log in with.
MAX_LENGTH = 254


def normalize_email(text: str) -> str:
    """Return the stored form of an address: normalized, in lower case, as no mail provider in use tells cases apart."""
    return normalize(text).lower()


def check_username(name: str) -> None:
    """Raise ValidationError for an invalid user name. It may not contain `@`, or it would look like an address."""
    UnicodeUsernameValidator()(name)
    if "@" in name:
        raise ValidationError(
            _("A username cannot contain @, so that it is not mistaken for an email address."), code="invalid"
        )


def check_email(address: str) -> None:
    """Raise ValidationError for an invalid email address."""
    EmailValidator(_("Enter an email address, for example name@example.com."))(address)
