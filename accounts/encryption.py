"""Secrets of second factors, encrypted in the database with keys that are only in the environment.

settings.MFA_KEYS has the keys of Fernet (AES-128-CBC with HMAC-SHA256): the first one encrypts, all of them decrypt.
"""

from collections.abc import Callable
from typing import Any

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings


def keys() -> MultiFernet:
    """Return the keys of the settings. Raises ValueError if there is none, or one is not 32 bytes in base64."""
    return MultiFernet([Fernet(key) for key in settings.MFA_KEYS])


def encrypt(text: str) -> str:
    """Return the text encrypted with the first key."""
    return keys().encrypt(text.encode()).decode()


def decrypt(encrypted: str) -> str:
    """Return the text. Raises cryptography.fernet.InvalidToken if none of the keys has encrypted it."""
    return keys().decrypt(encrypted.encode()).decode()


def renew(encrypted: str) -> str:
    """Return the same text encrypted with the first key. Raises cryptography.fernet.InvalidToken as decrypt does."""
    return keys().rotate(encrypted.encode()).decode()


def with_secrets(data: dict[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    """Return the data of a second factor with each secret changed: of TOTP, and of recovery codes."""
    changed = data | {name: change(data[name]) for name in ("secret", "seed") if name in data}
    if codes := data.get("migrated_codes"):
        changed["migrated_codes"] = [change(code) for code in codes]
    return changed
