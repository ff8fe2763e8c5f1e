"""Hits are counted exactly, and requests are limited by user and by address, as seen by our own proxies."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test import RequestFactory

from accounts import brute_force, tokens
from accounts.models import RateCount, User
from core.addresses import client_address, network_of
from core.cache import ForgetfulRedisCache
from tests.concurrency.sessions import at_once

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
THREE = brute_force.Rate(3, 60)


def test_a_fourth_hit_is_refused_until_the_window_ends(db):
    assert [brute_force.hit("s", "a", rate=THREE, now=NOW) for _ in range(3)] == [0, 0, 0]
    assert brute_force.hit("s", "a", rate=THREE, now=NOW + timedelta(seconds=20)) == 40
    assert brute_force.hit("s", "b", rate=THREE, now=NOW) == 0
    assert brute_force.hit("t", "a", rate=THREE, now=NOW) == 0
    assert brute_force.hit("s", "a", rate=THREE, now=NOW + timedelta(seconds=60)) == 0


@pytest.mark.django_db(transaction=True)
def test_concurrent_hits_are_all_counted():
    def strike() -> list[bool]:
        return [brute_force.hit("s", "a", rate=brute_force.Rate(37, 60), now=NOW) == 0 for _ in range(10)]

    passed = [each for hits in at_once([strike] * 10) for each in hits]
    # 10 threads with 10 hits each, 37 allowed.
    assert len(passed) == 100
    assert sum(passed) == 37


def test_counters_are_deleted_after_their_window_and_hide_the_address(db):
    brute_force.hit("s", "203.0.113.9", rate=THREE, now=NOW)
    assert "203" not in RateCount.objects.get().key
    assert brute_force.forget(now=NOW) == 0
    assert brute_force.forget(now=NOW + timedelta(seconds=61)) == 1


def test_the_counters_are_in_an_unlogged_table(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT relpersistence FROM pg_class WHERE relname = 'accounts_ratecount'")
        assert cursor.fetchone()[0] == "u"


@pytest.fixture
def limits(settings):
    settings.API_RATES = {"user": "1000/m", "address": "1000/m", "login": "1000/m", "register": "1000/m"}
    return settings.API_RATES


def test_a_user_is_limited_across_addresses(limits, as_alice, as_mallory):
    limits["user"] = "2/m"
    for address in ("198.51.100.1", "198.51.100.2"):
        assert as_alice.get("/api/auth/me", REMOTE_ADDR=address).status_code == 200
    answer = as_alice.get("/api/auth/me", REMOTE_ADDR="198.51.100.3")
    assert answer.status_code == 429
    assert answer.json()["code"] == "too_many_requests"
    assert 1 <= int(answer["Retry-After"]) <= 60
    assert as_mallory.get("/api/auth/me").status_code == 200


def test_an_address_is_limited_across_users(limits, as_alice, as_mallory):
    limits["address"] = "2/m"
    assert as_alice.get("/api/auth/me").status_code == 200
    assert as_mallory.get("/api/auth/me").status_code == 200
    assert as_alice.get("/api/auth/me").status_code == 429
    assert as_alice.get("/api/auth/me", REMOTE_ADDR="198.51.100.3").status_code == 200


@pytest.mark.parametrize(
    ("path", "scope"),
    [("/api/auth/token", "login"), ("/api/auth/register", "register"), ("/api/auth/token/refresh", "login")],
)
def test_log_in_and_registration_have_their_own_rates(limits, client, db, path, scope):
    limits[scope] = "2/m"
    assert [client.post(path, {}).status_code for _ in range(3)] == [400, 400, 429]
    # A forged X-Forwarded-For does not get a fresh counter.
    assert client.post(path, {}, HTTP_X_FORWARDED_FOR="203.0.113.77").status_code == 429


@pytest.mark.parametrize(
    ("proxies", "forwarded", "remote", "seen"),
    [
        (0, "203.0.113.1", "198.51.100.9", "198.51.100.9"),
        (0, "", "198.51.100.9", "198.51.100.9"),
        (1, "203.0.113.1", "10.0.0.1", "203.0.113.1"),
        (1, "6.6.6.6, 203.0.113.1", "10.0.0.1", "203.0.113.1"),
        (2, "6.6.6.6, 203.0.113.1, 10.0.0.2", "10.0.0.1", "203.0.113.1"),
        (2, "203.0.113.1", "10.0.0.1", "203.0.113.1"),
        (1, "", "10.0.0.1", "10.0.0.1"),
        (1, "garbage", "10.0.0.1", "0.0.0.0"),
        (1, "203.0.113.1:4711", "10.0.0.1", "203.0.113.1"),
        (1, "[2001:db8::1]:4711", "10.0.0.1", "2001:db8::1"),
        (1, "[2001:db8::1]", "10.0.0.1", "2001:db8::1"),
        (1, "::ffff:203.0.113.1", "10.0.0.1", "203.0.113.1"),
        (0, "", "", "0.0.0.0"),
    ],
)
def test_the_address_is_the_one_that_our_outermost_proxy_saw(settings, proxies, forwarded, remote, seen):
    settings.TRUSTED_PROXIES = proxies
    request = RequestFactory().get("/", HTTP_X_FORWARDED_FOR=forwarded, REMOTE_ADDR=remote)
    assert client_address(request) == seen


def test_an_ipv6_network_counts_as_one_caller():
    assert network_of("2001:db8:1:2::1") == network_of("2001:db8:1:2:ffff::9") == "2001:db8:1:2::"
    assert network_of("203.0.113.1") == "203.0.113.1"


def test_requests_count_for_a_period_each_from_its_own_instant(limits, as_alice):
    limits["user"] = "2/m"
    with time_machine.travel(NOW, tick=False) as clock:
        as_alice.credentials(HTTP_AUTHORIZATION="Bearer " + tokens.issue(User.objects.get(), now=NOW).access)
        ask = lambda: as_alice.get("/api/auth/me")  # noqa: E731
        assert ask().status_code == 200
        clock.shift(40)
        assert ask().status_code == 200
        clock.shift(10)
        # The first one is 50 s old. A refused request does not count.
        refused = ask()
        assert (refused.status_code, refused["Retry-After"]) == (429, "10")
        clock.shift(10)
        assert ask().status_code == 200
        refused = ask()
        # Now the second one, 20 s old, is the oldest.
        assert (refused.status_code, refused["Retry-After"]) == (429, "40")


def test_a_request_that_one_limit_refuses_counts_for_the_others(limits, as_alice, as_mallory):
    limits |= {"user": "1/m", "address": "2/m"}
    assert as_alice.get("/api/auth/me").status_code == 200
    assert as_alice.get("/api/auth/me").status_code == 429
    assert as_mallory.get("/api/auth/me").status_code == 429


def test_all_limits_are_counted_in_one_call_of_the_cache(limits, as_alice, monkeypatch):
    calls = []
    original = ForgetfulRedisCache._ask

    def asked(self, question, otherwise):
        calls.append(question)
        return original(self, question, otherwise)

    monkeypatch.setattr(ForgetfulRedisCache, "_ask", asked)
    assert as_alice.get("/api/auth/me").status_code == 200
    assert len(calls) == 1
