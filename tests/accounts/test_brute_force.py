"""Guessing is slowed: by account and address together, by account from anywhere, by address at any account."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from axes.models import AccessAttempt
from django.test import Client

from accounts import cleanup
from tests.accounts.conftest import me
from tests.conftest import PASSWORD

HOME, OFFICE, ATTACKER = "198.51.100.1", "198.51.100.2", "203.0.113.66"


@pytest.fixture(autouse=True)
def _rates(settings):
    settings.API_RATES = dict.fromkeys(settings.API_RATES, "100000/m")


@pytest.fixture
def clock():
    with time_machine.travel(datetime(2026, 11, 21, 12, tzinfo=UTC), tick=False) as moving:
        yield moving


def guess(client, name="alice", password="wrong", address=ATTACKER, **headers):
    return client.post("/api/auth/token", {"username": name, "password": password}, REMOTE_ADDR=address, **headers)


def by_page(name="alice", password="wrong", address=ATTACKER):
    return Client().post("/login/", {"login": name, "password": password}, REMOTE_ADDR=address)


def test_the_fifth_failure_closes_the_account_to_that_address(alice, client):
    assert [guess(client).status_code for _ in range(5)] == [401, 401, 401, 401, 429]
    locked = guess(client, password=PASSWORD)
    assert locked.status_code == 429
    assert locked["Content-Type"] == "application/problem+json"
    assert locked["Retry-After"] == "900"
    assert locked.json()["code"] == "too_many_attempts"


def test_the_owner_elsewhere_is_not_locked_out(alice, client):
    for _ in range(6):
        guess(client)
    assert guess(client, password=PASSWORD, address=HOME).status_code == 200


def test_an_unknown_name_is_locked_the_same_way(db, client):
    assert [guess(client, name="nobody").status_code for _ in range(6)] == [401] * 4 + [429] * 2


@pytest.mark.parametrize("names", [["alice", "ALICE", "alice@example.com", "Alice@Example.com", "ａlice", " alice"]])
def test_another_spelling_of_the_name_gives_no_fresh_tries(alice, client, names):
    assert [guess(client, name=name).status_code for name in names] == [401] * 4 + [429] * 2


def test_an_invented_forwarding_header_gives_no_fresh_tries(alice, client):
    tries = [guess(client, HTTP_X_FORWARDED_FOR=f"192.0.2.{n}", HTTP_USER_AGENT=f"browser {n}") for n in range(6)]
    assert tries[-1].status_code == 429


def test_behind_our_proxy_each_caller_is_counted_apart(alice, client, settings):
    settings.TRUSTED_PROXIES = 1
    for _ in range(6):
        guess(client, address="10.0.0.1", HTTP_X_FORWARDED_FOR=f"6.6.6.6, {ATTACKER}")
    assert guess(client, password=PASSWORD, address="10.0.0.1", HTTP_X_FORWARDED_FOR=ATTACKER).status_code == 429
    assert guess(client, password=PASSWORD, address="10.0.0.1", HTTP_X_FORWARDED_FOR=HOME).status_code == 200


def test_a_lock_ends_by_itself_and_is_not_prolonged_by_trying(alice, client, clock):
    for _ in range(5):
        guess(client)
    clock.shift(timedelta(minutes=14))
    assert guess(client, password=PASSWORD).status_code == 429
    clock.shift(timedelta(minutes=1, seconds=1))
    assert guess(client, password=PASSWORD).status_code == 200


def test_a_right_password_forgets_the_failures_of_that_address(alice, client):
    for _ in range(3):
        for _ in range(4):
            assert guess(client, address=HOME).status_code == 401
        assert guess(client, password=PASSWORD, address=HOME).status_code == 200


def test_many_addresses_at_one_account_are_slowed_but_not_the_owner_where_he_is_known(alice, client):
    assert guess(client, password=PASSWORD, address=HOME).status_code == 200
    # 50 failures from 25 addresses, two each: none of them reaches five.
    answers = [guess(client, address=f"203.0.113.{n}").status_code for n in range(25) for _ in range(2)]
    assert answers == [401] * 49 + [429]
    assert guess(client, password=PASSWORD, address="192.0.2.200").status_code == 429
    assert guess(client, password=PASSWORD, address=HOME).status_code == 200


def test_the_lock_of_a_whole_account_ends_by_itself(alice, client, clock):
    for n in range(50):
        guess(client, address=f"203.0.113.{n}")
    assert guess(client, password=PASSWORD, address=OFFICE).status_code == 429
    clock.shift(timedelta(minutes=15, seconds=1))
    assert guess(client, password=PASSWORD, address=OFFICE).status_code == 200


def test_one_address_at_many_accounts_is_slowed(alice, client):
    answers = [guess(client, name=f"user{n}").status_code for n in range(50)]
    assert answers == [401] * 49 + [429]
    assert guess(client, password=PASSWORD).status_code == 429
    assert guess(client, password=PASSWORD, address=HOME).status_code == 200


def test_pages_and_api_count_together(alice, client):
    answers = [by_page().status_code, by_page("alice@example.com").status_code] + [
        guess(client).status_code for _ in range(3)
    ]
    assert answers == [200, 200, 401, 401, 429]
    page = by_page(password=PASSWORD)
    assert page.status_code == 429
    assert page["Retry-After"] == "900"
    assert page["Content-Type"].startswith("text/html")
    assert "15 minutes" in page.content.decode()
    assert by_page(password=PASSWORD, address=HOME).status_code == 302


def test_staff_log_in_is_counted_too(staff, client):
    for _ in range(5):
        by_page("staff")
    locked = Client()
    assert (
        locked.post("/login/?next=/admin/", {"login": "staff", "password": PASSWORD}, REMOTE_ADDR=ATTACKER).status_code
        == 429
    )
    assert locked.get("/admin/", REMOTE_ADDR=ATTACKER).status_code == 302


def test_the_admin_has_no_log_in_of_its_own_that_would_pass_the_limits_by(staff):
    browser = Client()
    answer = browser.post("/admin/login/", {"username": "staff", "password": PASSWORD})
    assert answer.status_code == 302
    assert answer["Location"].startswith("/login/")
    assert "_auth_user_id" not in browser.session


def test_no_password_is_written_down(alice, client):
    by_page(password="hunter2-hunter2")
    guess(client, password="hunter2-hunter2")
    assert AccessAttempt.objects.count() >= 1
    assert "hunter2" not in str(list(AccessAttempt.objects.values()))


@pytest.mark.parametrize("name", ["x" * 254, "a\\b", "%00", "' OR 1=1", "ж" * 200])
def test_odd_names_are_only_wrong(db, client, name):
    assert guess(client, name=name).status_code == 401


@pytest.mark.parametrize("name", ["x" * 255, "", None, [], {}, 7.5, "a\x00b"])
def test_names_that_cannot_be_are_errors(db, client, name):
    assert guess(client, name=name).status_code in (400, 401)


def test_a_failure_is_forgotten_by_the_cleaning_once_it_counts_no_more(alice, client):
    guess(client)
    assert cleanup.clean(now=datetime.now(UTC))["failed_log_ins"] == 0
    assert cleanup.clean(now=datetime.now(UTC) + timedelta(minutes=16))["failed_log_ins"] == 1


def test_tokens_given_out_before_the_lock_go_on(alice, client):
    access = guess(client, password=PASSWORD).json()["access"]
    for _ in range(6):
        guess(client)
    assert me(access).status_code == 200
