"""`manage.py encrypt_second_factors`: encrypt the secrets of second factors with the first key of MFA_KEYS."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts import encryption, second_factor


class Command(BaseCommand):
    help = "Encrypt the secrets of all second factors with the first key of MFA_KEYS, to take an older key out."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            rows, renewed = second_factor.renew_all()
        except encryption.Unreadable as error:
            raise CommandError(error.reason) from None
        except ValueError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"Encrypted {renewed} of {rows} second factors anew with the first key of MFA_KEYS.")
        if rows and not renewed:
            self.stdout.write(
                "All of them were already. If you have just added a key, it must stand first in MFA_KEYS."
            )
