"""A new customer, and what a customer may change about himself."""

from datetime import datetime

from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts import tokens
from accounts.models import User
from core.errors import DomainError


class Taken(DomainError):
    """The name or the address belongs to somebody. `fields` says which, and the words are always the same."""

    code = "taken"

    def __init__(self, fields: list[str]) -> None:
        super().__init__(", ".join(fields), param=fields[0] if fields else None)
        self.fields = fields


def sorry(field: str) -> str:
    """Return what a caller is told about a taken name or address, whoever has it and however it was found out."""
    if field == "username":
        return _("This user name cannot be used. Choose another one.")
    return _("This email address cannot be used. If it is yours, log in or reset the password.")


def register(*, username: str, email: str, password: str, language: str = "en") -> User:
    """Create a customer. Raises Taken, also when two ask for the same name at the same moment."""
    user = User(username=username, email=email, language=language)
    user.set_password(password)
    return _stored(user)


def change(user: User, *, now: datetime, **changes: str) -> User:
    """Store what a user changes about himself. Raises Taken, and then nothing is changed.

    A new password puts all tokens out of use; a new address takes the place of the old one for log-in and reset.
    """
    password = changes.pop("password", None)
    for name, value in changes.items():
        setattr(user, name, value)
    with transaction.atomic():
        _stored(user, fields=list(changes)) if "email" in changes else user.save(update_fields=list(changes))
        if password is not None:
            user.set_password(password)
            user.save(update_fields=["password"])
            tokens.end_all(user, now=now)
    return user


def set_address(user: User) -> None:
    """Make the user's email the one address that log-in and reset know."""
    EmailAddress.objects.filter(user=user).delete()
    EmailAddress.objects.create(user=user, email=user.email, primary=True)


def _stored(user: User, fields: list[str] | None = None) -> User:
    try:
        with transaction.atomic():
            user.save(update_fields=fields)
            set_address(user)
    except IntegrityError:
        raise Taken(taken(user) or ["email"]) from None
    return user


def taken(user: User) -> list[str]:
    """Return which of `username` and `email` another user has, whatever the case."""
    others = User.objects.exclude(pk=user.pk)
    return [
        field for field in ("username", "email") if others.filter(**{f"{field}__iexact": getattr(user, field)}).exists()
    ]
