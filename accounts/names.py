"""Names and addresses people log in with: one normal form (NFKC), so that two that look alike are one."""

import unicodedata

from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.utils.translation import gettext as _

MOST = 254


def normal(text: str) -> str:
    """Return the one form under which a name or an address is stored and looked up."""
    return unicodedata.normalize("NFKC", text).strip()


def normal_email(text: str) -> str:
    """Return the one form of an address. Lower case: no mail provider in use tells the cases apart."""
    return normal(text).lower()


def check_username(name: str) -> None:
    """Raise ValidationError for a name that cannot be one. No `@`: it would look like somebody's address."""
    UnicodeUsernameValidator()(name)
    if "@" in name:
        raise ValidationError(_("A user name has no @, so that it is not taken for an email address."), code="invalid")


def check_email(address: str) -> None:
    """Raise ValidationError for what is no email address."""
    EmailValidator(_("Write an email address in the form name@example.com."))(address)
