"""The settings page: profile, look, time zone of the browser, and logging out elsewhere."""

import re
from datetime import UTC, datetime

import pytest
from django.test import Client

from accounts import time_zones
from accounts.models import User
from accounts.web.adapter import SecondFactorAdapter
from tests.accounts.conftest import me
from tests.conftest import PASSWORD

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PROFILE = {"name": "Анна Петрова", "company": "Petrova Design", "address": "12 Sample Lane, Hamburg", "tax_id": "DE1"}


@pytest.fixture
def browser(alice: User) -> Client:
    client = Client()
    client.force_login(alice)
    return client


def test_the_profile_is_saved(alice, browser):
    answer = browser.post("/account/settings/profile/", PROFILE)
    assert (answer.status_code, answer["Location"]) == (303, "/account/settings/")
    alice.refresh_from_db()
    assert (alice.get_full_name(), alice.company) == ("Анна Петрова", "Petrova Design")
    assert (alice.address, alice.tax_id) == ("12 Sample Lane, Hamburg", "DE1")
    page = browser.get("/account/settings/").content.decode()
    assert 'value="Анна Петрова"' in page
    assert 'value="12 Sample Lane, Hamburg"' in page


def test_a_name_of_two_parts_is_kept_until_it_is_changed(alice, browser):
    User.objects.filter(pk=alice.pk).update(first_name="Anna", last_name="Petrova")
    browser.post("/account/settings/profile/", PROFILE | {"name": "Anna Petrova"})
    alice.refresh_from_db()
    assert (alice.first_name, alice.last_name) == ("Anna", "Petrova")


def test_what_is_too_long_is_said_beside_the_field_and_kept(alice, browser):
    answer = browser.post("/account/settings/profile/", PROFILE | {"name": "x" * 151})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert 'href="#id_name"' in page
    assert "x" * 151 in page
    assert User.objects.get(pk=alice.pk).company == ""


def test_a_post_of_the_profile_changes_nothing_else(alice, browser):
    browser.post("/account/settings/profile/", PROFILE | {"is_staff": "1", "email": "x@example.com", "language": "ru"})
    alice.refresh_from_db()
    assert (alice.is_staff, alice.email, alice.language) == (False, "alice@example.com", "en")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_look_is_kept_in_a_cookie(browser, theme):
    sent = {"language": "en", "time_zone": "", "theme": theme}
    answer = browser.post("/account/settings/", sent)
    cookie = answer.cookies["theme"]
    assert (cookie.value, cookie["samesite"], cookie["max-age"]) == (theme, "Lax", 365 * 24 * 3600)
    page = browser.get("/account/settings/")
    assert page.context["theme"] == theme
    assert f'<option value="{theme}" selected>' in page.content.decode()
    assert browser.post("/account/settings/", sent | {"theme": ""}).cookies["theme"]["max-age"] == 0


def test_a_look_that_does_not_exist_is_refused_and_one_in_the_cookie_ignored(browser):
    sent = {"language": "en", "time_zone": "", "theme": "neon"}
    assert browser.post("/account/settings/", sent).status_code == 422
    browser.cookies["theme"] = '"><script>'
    page = browser.get("/account/settings/")
    assert page.context["theme"] == ""
    assert "<script>" not in page.content.decode()


def test_the_others_are_logged_out_and_this_browser_is_not(alice, browser):
    other, program = Client(), Client()
    other.force_login(alice)
    token = program.post("/api/auth/token", {"username": "alice", "password": PASSWORD}, "application/json").json()
    assert me(token["access"]).status_code == 200
    assert browser.post("/account/settings/sessions/").status_code == 303
    assert browser.get("/account/settings/").status_code == 200
    assert other.get("/account/settings/").status_code == 302
    assert me(token["access"]).status_code == 401


@pytest.mark.parametrize(
    ("guess", "zone"),
    [
        ("Europe/Moscow", "Europe/Moscow"),
        # Volgograd has Moscow's clock, Halle is not there, and Etc/UTC is no place.
        ("Europe/Volgograd", "Europe/Istanbul"),
        ("Mars/Olympus", ""),
        ("../etc/passwd", ""),
        ("", ""),
        ("x" * 5000, ""),
        ("Europe/\x00", ""),
    ],
)
def test_a_browsers_zone_is_found_in_the_list(guess, zone):
    found = time_zones.closest(guess, now=NOW)
    assert found == zone
    assert found in ("", *time_zones.NAMES)


def test_the_browsers_zone_is_stored_once(alice):
    sent = {"login": "alice", "password": PASSWORD, "zone": "Asia/Tokyo"}
    Client().post("/login/", sent)
    assert User.objects.get().time_zone == "Asia/Tokyo"
    Client().post("/login/", sent | {"zone": "Europe/Paris"})
    assert User.objects.get().time_zone == "Asia/Tokyo"


def test_a_new_customer_has_the_zone_of_the_browser(db):
    sent = {"username": "bob", "email": "bob@example.com", "password1": "correct horse battery", "zone": "Asia/Tokyo"}
    Client().post("/signup/", sent)
    assert User.objects.get().time_zone == "Asia/Tokyo"


@pytest.mark.parametrize("prefix", ["", "/ru"])
@pytest.mark.parametrize("path", ["/2fa/", "/2fa/totp/activate/", "/email/", "/password/change/", "/password/reset/"])
def test_pages_with_secrets_are_not_stored(browser, prefix, path):
    assert "no-store" in browser.get(prefix + path)["Cache-Control"]


def test_the_qr_code_has_a_white_ground_and_a_quiet_border():
    svg = SecondFactorAdapter().build_totp_svg("otpauth://totp/Acme:alice?secret=JBSWY3DPEHPK3PXP&issuer=Acme")
    assert '<rect fill="white" x="0" y="0" width="100%" height="100%" />' in svg
    # Four modules of a millimetre each are free around the code, as scanners need.
    first = re.search(r' d="M([0-9.]+),([0-9.]+)', svg)
    assert first is not None
    assert (float(first[1]), float(first[2])) == (4, 4)
