"""User names and email addresses: validation and one normal form (NFKC), so that look-alikes are equal."""

import re
import unicodedata

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.utils.translation import gettext as _

from core.normalization import normalize

# Characters of the longest email address (RFC 5321), and of anything that somebody may log in with.
MAX_LENGTH = 254
USERNAME = re.compile(r"[\w.+-]+")
# What stands between the words of a name.
WORDS = re.compile(r"[\W\d_]+")
# Alphabets with letters that look the same.
ALPHABETS = ("LATIN", "CYRILLIC", "GREEK")


def normalize_email(text: str) -> str:
    """Return the stored form of an address: normalized, in lower case, as no mail provider in use tells cases apart."""
    return normalize(text).lower()


def check_username(name: str) -> None:
    """Raise ValidationError for an invalid user name.

    It may not contain `@`, or it would look like an address. A word in two alphabets, such as `admin` with a Cyrillic
    letter, would look like another name. A name in one alphabet may look like anything: nobody sees names of others.
    """
    if "@" in name:
        raise ValidationError(
            _("A username cannot contain @, so that it is not mistaken for an email address."), code="invalid"
        )
    if not USERNAME.fullmatch(name):
        raise ValidationError(_("Use letters, digits and . + - _ only."), code="invalid")
    if any(len({alphabet for letter in word if (alphabet := _alphabet(letter))}) > 1 for word in WORDS.split(name)):
        raise ValidationError(
            _("A word cannot mix Latin, Cyrillic and Greek letters: some of them look the same."), code="invalid"
        )


def check_email(address: str) -> None:
    """Raise ValidationError for an invalid email address."""
    EmailValidator(_("Enter an email address, for example name@example.com."))(address)


def _alphabet(letter: str) -> str:
    """Return which of ALPHABETS the letter belongs to; empty for any other."""
    first = unicodedata.name(letter, "").partition(" ")[0]
    return first if first in ALPHABETS else ""
