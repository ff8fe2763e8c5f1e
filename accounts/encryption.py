"""Secrets of second factors, encrypted in the database with keys that are only in the environment.

settings.MFA_KEYS has the keys of Fernet (AES-128-CBC with HMAC-SHA256): the first one encrypts, all of them decrypt.
What is encrypted names its user, so that a row that somebody copies to another user decrypts for nobody there.
Texts that were encrypted before that name no user; they are readable for any, until they are encrypted anew.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils.translation import gettext as _

from core.errors import DomainError

EXAMPLE = "`openssl rand -base64 32`"
# The user whose secrets are read and written, where the caller cannot be given it.
_user: ContextVar[int | None] = ContextVar("user of the second factor", default=None)


class Unreadable(DomainError):
    """A secret that is stored cannot be used. `detail` tells its owner, `reason` the operator."""

    code = "second_factor_unreadable"
    reason = ""

    def __init__(self) -> None:
        super().__init__(_("No code can be checked for this account. Ask our support to reset two-step verification."))


class WrongKey(Unreadable):
    """None of the keys has encrypted it."""

    reason = "No key of MFA_KEYS decrypts a second factor: put the older key back behind the new one."


class WrongUser(Unreadable):
    """It was encrypted for another user."""

    reason = "A second factor was encrypted for another user: somebody has changed the database."


@contextmanager
def of(user_id: int) -> Iterator[None]:
    """Within the block, secrets are those of this user."""
    before = _user.set(user_id)
    try:
        yield
    finally:
        _user.reset(before)


def user_in_context() -> int | None:
    """Return the user of the block of `of` that is around, None if there is none."""
    return _user.get()


def keys() -> MultiFernet:
    """Return the keys of the settings. Raises ValueError, which names MFA_KEYS, if it is empty or malformed."""
    return MultiFernet(_each_key())


def _each_key() -> list[Fernet]:
    found = []
    for place, key in enumerate(settings.MFA_KEYS, 1):
        try:
            found.append(Fernet(key))
        except ValueError:
            raise ValueError(
                f"MFA_KEYS: key {place} of {len(settings.MFA_KEYS)} is not 32 bytes in base64, as {EXAMPLE} makes them"
            ) from None
    if not found:
        raise ValueError(f"MFA_KEYS is empty: set it to the output of {EXAMPLE}")
    return found


def encrypt(text: str, user_id: int) -> str:
    """Return the text of this user encrypted with the first key."""
    return keys().encrypt(json.dumps({"user": user_id, "text": text}).encode()).decode()


def decrypt(encrypted: str, user_id: int) -> str:
    """Return the text. Raises WrongKey if none of the keys has encrypted it, WrongUser if it is another user's."""
    owner, text = _opened(keys(), encrypted)
    if owner not in (None, user_id):
        raise WrongUser
    return text


def without_user(encrypted: str, user_id: int) -> str:
    """Return the same text encrypted without its user, as older releases read it. Raises as decrypt does."""
    return keys().encrypt(decrypt(encrypted, user_id).encode()).decode()


def is_current(encrypted: str) -> bool:
    """Tell whether it names its user and the first key has encrypted it."""
    try:
        return _opened(_each_key()[0], encrypted)[0] is not None
    except WrongKey:
        return False


def _opened(by: Fernet | MultiFernet, encrypted: str) -> tuple[int | None, str]:
    """Return the user, None if it names none, and the text."""
    try:
        plain = by.decrypt(encrypted.encode()).decode()
    except InvalidToken:
        raise WrongKey from None
    # What was encrypted without a user is digits, or letters of base32.
    if not plain.startswith("{"):
        return None, plain
    parts = json.loads(plain)
    return parts["user"], parts["text"]


def with_secrets(data: dict[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    """Return the data of a second factor with each secret changed: of TOTP, and of recovery codes."""
    changed = data | {name: change(data[name]) for name in ("secret", "seed") if name in data}
    if codes := data.get("migrated_codes"):
        changed["migrated_codes"] = [change(code) for code in codes]
    return changed


def secrets(data: dict[str, Any]) -> list[str]:
    """Return the encrypted secrets in the data of a second factor."""
    return [data[name] for name in ("secret", "seed") if name in data] + list(data.get("migrated_codes") or [])
