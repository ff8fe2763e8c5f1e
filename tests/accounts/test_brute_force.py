"""Password guesses are limited: per account and address, per account, and per address."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from axes.models import AccessAttempt
from django.test import Client
from rest_framework.test import APIClient

from accounts import cleanup
from tests.accounts.conftest import me
from tests.conftest import PASSWORD

HOME, OFFICE, ATTACKER = "198.51.100.1", "198.51.100.2", "203.0.113.66"


@pytest.fixture(autouse=True)
def _rates(settings):
    settings.API_RATES = dict.fromkeys(settings.API_RATES, "100000/m")


@pytest.fixture
def clock():
    with time_machine.travel(datetime(2026, 11, 21, 12, tzinfo=UTC), tick=False) as traveller:
        yield traveller


def guess(client, name="alice", password="wrong", address=ATTACKER, **headers):
    """Log in at the API."""
    return client.post("/api/auth/token", {"username": name, "password": password}, REMOTE_ADDR=address, **headers)


def guess_on_page(name="alice", password="wrong", address=ATTACKER):
    """Log in on the page."""
    return Client().post("/login/", {"login": name, "password": password}, REMOTE_ADDR=address)


def test_the_fifth_failure_locks_the_account_for_that_address(alice, client):
    assert [guess(client).status_code for _ in range(5)] == [401, 401, 401, 401, 429]
    locked = guess(client, password=PASSWORD)
    assert locked.status_code == 429
    assert locked["Content-Type"] == "application/problem+json"
    assert locked["Retry-After"] == "900"
    assert locked.json()["code"] == "too_many_attempts"


def test_the_owner_can_log_in_from_another_address(alice, client):
    for _ in range(6):
        guess(client)
    assert guess(client, password=PASSWORD, address=HOME).status_code == 200


def test_an_unknown_name_is_locked_the_same_way(db, client):
    assert [guess(client, name="nobody").status_code for _ in range(6)] == [401] * 4 + [429] * 2


@pytest.mark.parametrize("names", [["alice", "ALICE", "alice@example.com", "Alice@Example.com", "ａlice", " alice"]])
def test_spellings_of_a_name_share_one_limit(alice, client, names):
    assert [guess(client, name=name).status_code for name in names] == [401] * 4 + [429] * 2


def test_forged_headers_do_not_evade_the_limit(alice, client):
    tries = [guess(client, HTTP_X_FORWARDED_FOR=f"192.0.2.{n}", HTTP_USER_AGENT=f"browser {n}") for n in range(6)]
    assert tries[-1].status_code == 429


def test_callers_behind_our_proxy_are_counted_separately(alice, client, settings):
    settings.TRUSTED_PROXIES = 1
    for _ in range(6):
        guess(client, address="10.0.0.1", HTTP_X_FORWARDED_FOR=f"6.6.6.6, {ATTACKER}")
    assert guess(client, password=PASSWORD, address="10.0.0.1", HTTP_X_FORWARDED_FOR=ATTACKER).status_code == 429
    assert guess(client, password=PASSWORD, address="10.0.0.1", HTTP_X_FORWARDED_FOR=HOME).status_code == 200


def test_a_lock_ends_after_15_minutes_despite_further_attempts(alice, client, clock):
    for _ in range(5):
        guess(client)
    clock.shift(timedelta(minutes=14))
    assert guess(client, password=PASSWORD).status_code == 429
    clock.shift(timedelta(minutes=1, seconds=1))
    assert guess(client, password=PASSWORD).status_code == 200


def test_a_successful_log_in_resets_the_failures_of_that_address(alice, client):
    for _ in range(3):
        for _ in range(4):
            assert guess(client, address=HOME).status_code == 401
        assert guess(client, password=PASSWORD, address=HOME).status_code == 200


def test_many_addresses_lock_an_account_except_for_the_owners_known_address(alice, client):
    assert guess(client, password=PASSWORD, address=HOME).status_code == 200
    # 50 failures from 25 addresses, two each: none of them reaches five.
    answers = [guess(client, address=f"203.0.113.{n}").status_code for n in range(25) for _ in range(2)]
    assert answers == [401] * 49 + [429]
    assert guess(client, password=PASSWORD, address="192.0.2.200").status_code == 429
    assert guess(client, password=PASSWORD, address=HOME).status_code == 200


def test_the_lock_of_a_whole_account_ends_after_15_minutes(alice, client, clock):
    for n in range(50):
        guess(client, address=f"203.0.113.{n}")
    assert guess(client, password=PASSWORD, address=OFFICE).status_code == 429
    clock.shift(timedelta(minutes=15, seconds=1))
    assert guess(client, password=PASSWORD, address=OFFICE).status_code == 200


def test_an_address_that_tries_many_accounts_is_locked(alice, client):
    answers = [guess(client, name=f"user{n}").status_code for n in range(50)]
    assert answers == [401] * 49 + [429]
    assert guess(client, password=PASSWORD).status_code == 429
    assert guess(client, password=PASSWORD, address=HOME).status_code == 200


def test_failures_of_pages_and_api_are_counted_together(alice, client):
    answers = [guess_on_page().status_code, guess_on_page("alice@example.com").status_code] + [
        guess(client).status_code for _ in range(3)
    ]
    assert answers == [200, 200, 401, 401, 429]
    page = guess_on_page(password=PASSWORD)
    assert page.status_code == 429
    assert page["Retry-After"] == "900"
    assert page["Content-Type"].startswith("text/html")
    assert "15 minutes" in page.content.decode()
    assert guess_on_page(password=PASSWORD, address=HOME).status_code == 302


def test_an_ipv6_network_is_one_address(alice, client):
    answers = [guess(client, address=f"2001:db8:1:1::{n}").status_code for n in range(1, 7)]
    assert answers == [401] * 4 + [429] * 2
    assert guess_on_page(password=PASSWORD, address="2001:db8:1:1:ffff::7").status_code == 429
    assert guess(client, password=PASSWORD, address="2001:db8:1:2::1").status_code == 200


def test_an_ipv6_network_that_tries_many_accounts_is_locked(alice, settings):
    settings.LOGIN_FAILURES_ANYWHERE = 10
    answers = [guess_on_page(f"user{n}", address=f"2001:db8:1:1::{n + 1}").status_code for n in range(10)]
    assert answers == [200] * 9 + [429]


@pytest.mark.parametrize("log_in", [guess_on_page, lambda **sent: guess(APIClient(), **sent)])
def test_a_known_ipv6_network_stays_open_to_the_owner(alice, client, settings, log_in):
    settings.LOGIN_FAILURES_ANYWHERE = 10
    assert log_in(password=PASSWORD, address="2001:db8:9:9::1").status_code in (200, 302)
    for n in range(10):
        guess(client, address=f"203.0.113.{n}")
    assert log_in(password=PASSWORD, address="192.0.2.200").status_code == 429
    assert log_in(password=PASSWORD, address="2001:db8:9:9::2").status_code in (200, 302)


def test_a_log_in_resets_the_failures_of_its_ipv6_network(alice, client):
    for last in range(1, 4):
        for _ in range(4):
            assert guess(client, address=f"2001:db8:1:1::{last}").status_code == 401
        assert guess(client, password=PASSWORD, address="2001:db8:1:1::9").status_code == 200


def test_staff_log_ins_are_limited_too(staff, client):
    for _ in range(5):
        guess_on_page("staff")
    locked = Client()
    assert (
        locked.post("/login/?next=/admin/", {"login": "staff", "password": PASSWORD}, REMOTE_ADDR=ATTACKER).status_code
        == 429
    )
    assert locked.get("/admin/", REMOTE_ADDR=ATTACKER).status_code == 302


def test_the_admin_uses_the_same_log_in_page(staff):
    browser = Client()
    answer = browser.post("/admin/login/", {"username": "staff", "password": PASSWORD})
    assert answer.status_code == 302
    assert answer["Location"].startswith("/login/")
    assert "_auth_user_id" not in browser.session


def test_passwords_are_not_stored(alice, client):
    guess_on_page(password="hunter2-hunter2")
    guess(client, password="hunter2-hunter2")
    assert AccessAttempt.objects.count() >= 1
    assert "hunter2" not in str(list(AccessAttempt.objects.values()))


@pytest.mark.parametrize("name", ["x" * 254, "a\\b", "%00", "' OR 1=1", "ж" * 200])
def test_unusual_names_are_unknown(db, client, name):
    assert guess(client, name=name).status_code == 401


@pytest.mark.parametrize("name", ["x" * 255, "", None, [], {}, 7.5, "a\x00b"])
def test_invalid_names_are_errors(db, client, name):
    assert guess(client, name=name).status_code in (400, 401)


def test_cleanup_deletes_failures_that_no_longer_count(alice, client):
    guess(client)
    assert cleanup.clean(now=datetime.now(UTC))["failed_log_ins"] == 0
    assert cleanup.clean(now=datetime.now(UTC) + timedelta(minutes=16))["failed_log_ins"] == 1


def test_tokens_issued_before_the_lock_still_work(alice, client):
    access = guess(client, password=PASSWORD).json()["access"]
    for _ in range(6):
        guess(client)
    assert me(access).status_code == 200
