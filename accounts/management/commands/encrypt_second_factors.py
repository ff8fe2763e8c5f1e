"""`manage.py encrypt_second_factors`: encrypt the secrets of second factors with the first key of MFA_KEYS."""

from typing import Any

from cryptography.fernet import InvalidToken
from django.core.management.base import BaseCommand, CommandError

from accounts import second_factor


class Command(BaseCommand):
    help = "Encrypt the secrets of all second factors with the first key of MFA_KEYS, to take an older key out."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            rows = second_factor.renew_all()
        except InvalidToken:
            raise CommandError(
                "No key of MFA_KEYS decrypts a row. Put the older key back behind the new one."
            ) from None
        self.stdout.write(f"Encrypted {rows} second factors with the first key of MFA_KEYS.")
