"""Users with a second factor need it for pages, the admin and the API."""

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.test import Client
from rest_framework.test import APIClient

from accounts import encryption
from accounts.models import User
from tests.conftest import PASSWORD

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def code_now() -> str:
    return str(format_hotp_value(hotp_value(SECRET, next(iter(yield_hotp_counters_from_time())))))


def recovery_code(user: User) -> str:
    with encryption.of(user.pk):
        return str(RecoveryCodes.activate(user).get_unused_codes()[0])


@pytest.fixture
def guarded(superuser: User) -> User:
    """A superuser with an authenticator app and recovery codes."""
    with encryption.of(superuser.pk):
        TOTP.activate(superuser, SECRET)
        RecoveryCodes.activate(superuser)
    return superuser


def token(**fields):
    """Request tokens for the superuser."""
    client = APIClient(raise_request_exception=False)
    return client.post("/api/auth/token", {"username": "root", "password": PASSWORD} | fields)


def test_the_api_requires_the_code(guarded):
    answer = token()
    assert answer.status_code == 401
    assert answer.json()["code"] == "second_factor_required"
    assert answer.json()["errors"][0]["param"] == "code"
    assert token(code=code_now()).status_code == 200


def test_a_code_works_once(guarded):
    code = code_now()
    assert token(code=code).status_code == 200
    assert token(code=code).status_code == 401


def test_a_recovery_code_works_once(guarded):
    code = recovery_code(guarded)
    assert token(code=code).status_code == 200
    assert token(code=code).status_code == 401


def test_a_wrong_password_does_not_reveal_a_second_factor(guarded):
    answer = token(password="wrong")
    assert answer.json()["code"] == "invalid_credentials"
    assert token(password="wrong", code=code_now()).json()["code"] == "invalid_credentials"


def test_guesses_of_codes_are_limited(guarded):
    answers = [token(code=f"{n:06}").status_code for n in range(6)]
    assert answers[-1] == 429
    assert token(code=code_now()).status_code == 429


def test_users_without_a_second_factor_need_no_code(alice):
    caller = APIClient()
    assert caller.post("/api/auth/token", {"username": "alice", "password": PASSWORD}).status_code == 200


def test_staff_log_in_to_the_admin_with_password_and_code(guarded):
    browser = Client()
    first = browser.post("/login/?next=/admin/", {"login": "root", "password": PASSWORD, "next": "/admin/"})
    assert first.status_code == 302
    assert "/2fa/authenticate/" in first["Location"]
    assert browser.get("/admin/").status_code == 302
    page = browser.get(first["Location"]).content.decode()
    assert 'name="code"' in page
    assert browser.post("/2fa/authenticate/", {"code": "000000"}).status_code == 200
    assert browser.get("/admin/").status_code == 302
    done = browser.post("/2fa/authenticate/", {"code": code_now()})
    assert done["Location"] == "/admin/"
    assert browser.get("/admin/").status_code == 200


def test_guesses_of_codes_on_pages_are_limited_whichever_session_they_come_from(guarded, settings):
    for n in range(settings.AXES_FAILURE_LIMIT):
        browser = Client()
        browser.post("/login/", {"login": "root", "password": PASSWORD})
        assert "incorrect" in browser.post("/2fa/authenticate/", {"code": f"{n:06}"}).content.decode().lower()
    page = browser.post("/2fa/authenticate/", {"code": code_now()}).content.decode()
    assert "Too many wrong codes" in page
    assert browser.get("/admin/").status_code == 302


def test_the_right_code_forgets_the_wrong_ones(guarded, settings):
    for start in (0, 100):
        browser = Client()
        browser.post("/login/", {"login": "root", "password": PASSWORD})
        for n in range(start, start + settings.AXES_FAILURE_LIMIT - 1):
            browser.post("/2fa/authenticate/", {"code": f"{n:06}"})
        code = recovery_code(guarded) if start else code_now()
        assert browser.post("/2fa/authenticate/", {"code": code}).status_code == 302


def test_a_second_factor_is_set_up_and_removed_on_pages(alice):
    browser = Client()
    browser.post("/login/", {"login": "alice", "password": PASSWORD})
    assert "Set up" in browser.get("/2fa/").content.decode()
    # A session alone is not enough: the password is required again.
    reauthenticate = browser.get("/2fa/totp/activate/")["Location"]
    assert browser.post(reauthenticate, {"password": "wrong"}).status_code == 200
    assert browser.post(reauthenticate, {"password": PASSWORD})["Location"] == "/2fa/totp/activate/"
    page = browser.get("/2fa/totp/activate/").content.decode()
    assert 'src="data:image/svg+xml' in page
    secret = browser.session["mfa.totp.secret"]
    code = format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))
    assert browser.post("/2fa/totp/activate/", {"code": code}).status_code == 302
    assert browser.get("/2fa/recovery-codes/").content.decode().count("<li>") >= 10
    assert "Turn off" in browser.get("/2fa/").content.decode()
    assert browser.get("/2fa/totp/deactivate/").status_code == 200
    assert browser.get("/2fa/recovery-codes/generate/").status_code == 200
    assert browser.post("/2fa/totp/deactivate/", {}).status_code == 302
    assert "Set up" in browser.get("/2fa/").content.decode()


def test_secrets_and_tokens_are_not_in_the_admin(superuser):
    browser = Client()
    browser.force_login(superuser)
    for model in ("mfa/authenticator", "account/emailaddress", "accounts/refreshtoken", "axes/accessattempt"):
        assert browser.get(f"/admin/{model}/").status_code == 404
