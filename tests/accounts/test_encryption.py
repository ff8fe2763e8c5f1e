"""Secrets of second factors are not in the database in clear, and their keys can be changed."""

import base64
import importlib
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from cryptography.fernet import Fernet
from django.apps import apps
from django.conf import settings as django_settings
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client
from rest_framework.test import APIClient

from accounts import encryption
from accounts.encryption import of
from accounts.models import User
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
OLD, NEW = (base64.b64encode(letter * 32).decode() for letter in (b"o", b"n"))
migration = importlib.import_module("accounts.migrations.0004_encrypted_second_factors")
back = importlib.import_module("accounts.migrations.0008_second_factors_of_users")


@pytest.fixture(autouse=True)
def _one_instant(time_machine):
    """A code is good for 30 s, and the test must not end after them."""
    time_machine.move_to(datetime(2026, 12, 1, 12, tzinfo=UTC), tick=False)


def code_now() -> str:
    return format_hotp_value(hotp_value(SECRET, next(iter(yield_hotp_counters_from_time()))))


def stored() -> str:
    return str(list(Authenticator.objects.order_by("pk").values_list("data", flat=True)))


def activate(user: User) -> Authenticator:
    with of(user.pk):
        factor: Authenticator = TOTP.activate(user, SECRET).instance
    return factor


def is_valid(user: User) -> bool:
    """Tell whether the code of this instant is valid. Each code is taken once, so what was taken is forgotten."""
    cache.clear()
    with of(user.pk):
        return bool(Authenticator.objects.get(user=user, type="totp").wrap().validate_code(code_now()))


def of_before(text: str = SECRET) -> str:
    """Return the text as older releases encrypted it: without its user."""
    return encryption.keys().encrypt(text.encode()).decode()


def renewed() -> str:
    out = StringIO()
    call_command("encrypt_second_factors", stdout=out)
    return out.getvalue()


def try_api(user: User) -> Any:
    cache.clear()
    fields = {"username": user.username, "password": PASSWORD, "code": code_now()}
    return APIClient(raise_request_exception=False).post("/api/auth/token", fields)


def try_page(user: User) -> Any:
    cache.clear()
    browser = Client(raise_request_exception=False)
    browser.post("/login/", {"login": user.username, "password": PASSWORD})
    return browser.post("/2fa/authenticate/", {"code": code_now()})


def log_in_by_api(user: User) -> int:
    return int(try_api(user).status_code)


def log_in_by_page(user: User) -> int:
    return int(try_page(user).status_code)


def complaints(caplog: pytest.LogCaptureFixture) -> list[Any]:
    """Return the lines for the operator that have been written since the last call: the user and the reason."""
    events = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
    caplog.clear()
    return [(each["user_id"], each["reason"]) for each in events if each["event"] == "second_factor_unreadable"]


def test_what_is_stored_is_encrypted_and_a_code_is_valid(alice):
    factor = activate(alice)
    with of(alice.pk):
        codes = RecoveryCodes.activate(alice)
    assert SECRET not in stored()
    assert encryption.decrypt(factor.data["secret"], alice.pk) == SECRET
    assert stored().count("gAAAA") == 2
    assert is_valid(alice)
    with of(alice.pk):
        assert codes.validate_code(codes.get_unused_codes()[0])


def test_a_row_that_is_copied_to_another_user_is_of_no_use(alice, mallory, caplog):
    activate(mallory)
    with of(mallory.pk):
        code = RecoveryCodes.activate(mallory).get_unused_codes()[0]
    for row in Authenticator.objects.filter(user=mallory):
        Authenticator.objects.create(user=alice, type=row.type, data=row.data)
    with pytest.raises(encryption.WrongUser):
        is_valid(alice)
    with of(alice.pk), pytest.raises(encryption.WrongUser):
        Authenticator.objects.get(user=alice, type="recovery_codes").wrap().validate_code(code)
    complaints(caplog)
    refused = try_api(alice)
    assert (refused.status_code, refused.json()["code"]) == (409, "second_factor_unreadable")
    assert complaints(caplog) == [(alice.pk, encryption.WrongUser.reason)]
    form = try_page(alice)
    assert form.status_code == 200
    assert "Ask our support to reset two-step verification." in form.content.decode()
    assert not form.wsgi_request.user.is_authenticated
    assert complaints(caplog) == [(alice.pk, encryption.WrongUser.reason)]
    assert log_in_by_api(mallory) == 200
    with pytest.raises(CommandError, match="another user"):
        renewed()


def test_nobodys_secret_is_neither_written_nor_read(alice):
    with pytest.raises(LookupError):
        TOTP.activate(alice, SECRET)
    activate(alice)
    with pytest.raises(LookupError):
        Authenticator.objects.get().wrap().validate_code(code_now())


@pytest.mark.parametrize(("log_in", "answer"), [(log_in_by_api, 200), (log_in_by_page, 302)])
def test_a_row_of_before_is_readable_and_names_its_user_from_the_next_log_in_on(alice, mallory, log_in, answer):
    Authenticator.objects.create(user=alice, type="totp", data={"secret": of_before()})
    Authenticator.objects.create(user=alice, type="recovery_codes", data={"seed": of_before("ab"), "used_mask": 5})
    assert log_in(alice) == answer
    totp, codes = Authenticator.objects.order_by("-type")
    assert encryption.decrypt(totp.data["secret"], alice.pk) == SECRET
    assert encryption.decrypt(codes.data["seed"], alice.pk) == "ab"
    assert codes.data["used_mask"] == 5
    assert totp.last_used_at is not None
    for secret in (totp.data["secret"], codes.data["seed"]):
        with pytest.raises(encryption.WrongUser):
            encryption.decrypt(secret, mallory.pk)
    before = stored()
    assert log_in(alice) == answer
    assert stored() == before


def test_the_command_lets_rows_of_before_name_their_user(alice, mallory):
    row = Authenticator.objects.create(user=alice, type="totp", data={"secret": of_before()})
    Authenticator.objects.create(user=mallory, type="recovery_codes", data={"migrated_codes": [of_before("11")]})
    assert renewed() == "Encrypted 2 of 2 second factors anew with the first key of MFA_KEYS.\n"
    row.refresh_from_db()
    with pytest.raises(encryption.WrongUser):
        encryption.decrypt(row.data["secret"], mallory.pk)
    assert is_valid(alice)


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
    assert is_valid(alice)
    with of(mallory.pk):
        assert RecoveryCodes(Authenticator.objects.get(user=mallory)).get_unused_codes() == ["11", "22"]
    back.without_users(apps, None)
    older = Fernet(settings_keys()[0])
    assert older.decrypt(Authenticator.objects.get(type="totp").data["secret"].encode()).decode() == SECRET
    migration.decrypt(apps, None)
    assert stored() == before


def settings_keys() -> list[str]:
    return list(django_settings.MFA_KEYS)


def test_a_key_is_changed_without_locking_anybody_out(alice, settings):
    settings.MFA_KEYS = [OLD]
    activate(alice)
    settings.MFA_KEYS = [NEW, OLD]
    assert is_valid(alice)
    assert renewed() == "Encrypted 1 of 1 second factors anew with the first key of MFA_KEYS.\n"
    settings.MFA_KEYS = [NEW]
    assert is_valid(alice)


def test_a_new_key_behind_the_old_one_is_told(alice, settings):
    settings.MFA_KEYS = [OLD]
    activate(alice)
    settings.MFA_KEYS = [OLD, NEW]
    assert is_valid(alice)
    assert "If you have just added a key, it must stand first in MFA_KEYS." in renewed()


def test_a_key_that_was_taken_out_too_early_is_named(alice, settings, caplog):
    settings.MFA_KEYS = [OLD]
    activate(alice)
    settings.MFA_KEYS = [NEW]
    with pytest.raises(encryption.WrongKey):
        is_valid(alice)
    assert (log_in_by_api(alice), log_in_by_page(alice)) == (409, 200)
    assert complaints(caplog) == [(alice.pk, encryption.WrongKey.reason)] * 3
    with pytest.raises(CommandError, match=r"No key of MFA_KEYS decrypts .* put the older key back"):
        renewed()


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ([], "MFA_KEYS is empty: set it to the output of `openssl rand -base64 32`"),
        ([NEW, "short"], "MFA_KEYS: key 2 of 2 is not 32 bytes in base64"),
        (["ключ"], "MFA_KEYS: key 1 of 1 is not 32 bytes in base64"),
    ],
)
def test_no_key_and_a_malformed_one_are_named_by_their_variable_and_not_shown(settings, keys, says):
    settings.MFA_KEYS = keys
    with pytest.raises(CommandError, match=says) as raised:
        renewed()
    assert not any(key in str(raised.value) for key in keys)
