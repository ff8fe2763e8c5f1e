"""Secrets of second factors are not in the database in clear, and their keys can be changed."""

import base64
import importlib
from datetime import UTC, datetime
from io import StringIO

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from cryptography.fernet import InvalidToken
from django.apps import apps
from django.core.cache import cache
from django.core.management import CommandError, call_command

from accounts import encryption

pytestmark = pytest.mark.django_db
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
OLD, NEW = (base64.b64encode(letter * 32).decode() for letter in (b"o", b"n"))
migration = importlib.import_module("accounts.migrations.0004_encrypted_second_factors")


@pytest.fixture(autouse=True)
def _one_instant(time_machine):
    """A code is good for 30 s, and the test must not end after them."""
    time_machine.move_to(datetime(2026, 12, 1, 12, tzinfo=UTC), tick=False)


def code_now() -> str:
    return format_hotp_value(hotp_value(SECRET, next(iter(yield_hotp_counters_from_time()))))


def stored() -> str:
    return str(list(Authenticator.objects.order_by("pk").values_list("data", flat=True)))


def test_what_is_stored_is_encrypted_and_a_code_is_valid(alice):
    factor = TOTP.activate(alice, SECRET)
    codes = RecoveryCodes.activate(alice)
    assert SECRET not in stored()
    assert encryption.decrypt(factor.instance.data["secret"]) == SECRET
    assert stored().count("gAAAA") == 2
    assert Authenticator.objects.get(type="totp").wrap().validate_code(code_now())
    assert codes.validate_code(codes.get_unused_codes()[0])


def test_rows_of_before_are_encrypted_by_the_migration_and_decrypted_backwards(alice, mallory):
    Authenticator.objects.create(user=alice, type="totp", data={"secret": SECRET})
    Authenticator.objects.create(user=alice, type="recovery_codes", data={"seed": "abc", "used_mask": 5})
    Authenticator.objects.create(user=mallory, type="recovery_codes", data={"migrated_codes": ["11", "22"]})
    before = stored()
    migration.encrypt(apps, None)
    assert SECRET not in stored()
    assert "abc" not in stored()
    assert "'11'" not in stored()
    assert "'used_mask': 5" in stored()
    assert Authenticator.objects.get(type="totp").wrap().validate_code(code_now())
    assert RecoveryCodes(Authenticator.objects.get(user=mallory)).get_unused_codes() == ["11", "22"]
    migration.decrypt(apps, None)
    assert stored() == before


def test_a_key_is_changed_without_locking_anybody_out(alice, settings):
    settings.MFA_KEYS = [OLD]
    TOTP.activate(alice, SECRET)
    settings.MFA_KEYS = [NEW, OLD]
    assert Authenticator.objects.get().wrap().validate_code(code_now())
    out = StringIO()
    call_command("encrypt_second_factors", stdout=out)
    assert out.getvalue() == "Encrypted 1 second factors with the first key of MFA_KEYS.\n"
    settings.MFA_KEYS = [NEW]
    # Each code is taken once.
    cache.clear()
    assert Authenticator.objects.get().wrap().validate_code(code_now())


def test_a_key_that_was_taken_out_too_early_is_named(alice, settings):
    settings.MFA_KEYS = [OLD]
    TOTP.activate(alice, SECRET)
    settings.MFA_KEYS = [NEW]
    with pytest.raises(InvalidToken):
        Authenticator.objects.get().wrap().validate_code(code_now())
    with pytest.raises(CommandError, match="Put the older key back"):
        call_command("encrypt_second_factors")
