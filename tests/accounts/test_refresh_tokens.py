"""Rotation, expiry, revocation and log-out of API tokens."""

import uuid
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
import time_machine

from accounts import tokens
from accounts.models import RefreshToken, User
from subscriptions import closure
from tests.accounts.conftest import log_in, me, refreshed
from tests.accounts.token_forgery import claims, forged, signed, tampered
from tests.concurrency.sessions import at_once

REFRESH_BAD = {
    "the access token": lambda p: p.access,
    "no token": lambda p: "abc",
    "alg none": lambda p: forged({"alg": "none"}, claims(p.refresh)),
    "another key": lambda p: signed(claims(p.refresh), key="another-key-" + "x" * 40),
    "expired": lambda p: tampered(p.refresh, exp=1_000_000_000),
    "another audience": lambda p: tampered(p.refresh, aud="somebody"),
    "one never given out": lambda p: tampered(p.refresh, jti=uuid.uuid4().hex),
    "another family": lambda p: tampered(p.refresh, fam=str(uuid.uuid4())),
    "another user": lambda p: tampered(p.refresh, user_id=999_999),
    "another version": lambda p: tampered(p.refresh, ver=5),
    "an id in words": lambda p: tampered(p.refresh, jti="x"),
}


@pytest.mark.parametrize("make", REFRESH_BAD.values(), ids=REFRESH_BAD)
def test_an_invalid_refresh_token_is_401(pair, make):
    answer = refreshed(make(pair))
    assert answer.status_code == 401, answer.content
    assert answer.json()["code"] == "invalid_token"


def test_rotation_returns_a_new_pair_of_the_same_family(alice, pair):
    second = refreshed(pair.refresh).json()
    assert claims(second["refresh"])["fam"] == claims(pair.refresh)["fam"]
    assert me(second["access"]).status_code == 200
    third = refreshed(second["refresh"])
    assert third.status_code == 200


NOON = datetime(2026, 11, 21, 12, 0, 0, 700_000, tzinfo=UTC)


def test_reusing_a_spent_token_after_half_a_minute_ends_the_family(alice, time_machine):
    time_machine.move_to(NOON, tick=False)
    pair = tokens.issue(alice, now=NOON)
    second = refreshed(pair.refresh).json()
    other = tokens.issue(alice, now=NOON)
    time_machine.move_to(NOON + timedelta(seconds=30, microseconds=1), tick=False)
    assert refreshed(pair.refresh).status_code == 401
    assert refreshed(second["refresh"]).status_code == 401
    assert me(second["access"]).status_code == 401
    assert me(pair.access).status_code == 401
    # Another log-in of the same user is another family.
    assert me(other.access).status_code == 200


def test_a_repeat_within_half_a_minute_gets_the_same_pair(alice, time_machine):
    time_machine.move_to(NOON, tick=False)
    pair = tokens.issue(alice, now=NOON)
    second = refreshed(pair.refresh).json()
    # The first tab goes on meanwhile.
    time_machine.move_to(NOON + timedelta(seconds=20), tick=False)
    third = refreshed(second["refresh"]).json()
    time_machine.move_to(NOON + timedelta(seconds=30), tick=False)
    assert refreshed(pair.refresh).json() == second
    assert refreshed(second["refresh"]).json() == third
    assert me(second["access"]).status_code == me(third["access"]).status_code == 200
    assert RefreshToken.objects.filter(spent_at=None).count() == 1


@pytest.mark.parametrize("spent", [True, False])
def test_a_repeat_after_the_end_of_the_session_is_refused(alice, pair, client, spent):
    second = refreshed(pair.refresh).json()
    last = refreshed(second["refresh"]).json() if spent else second
    client.post("/api/auth/logout", {"refresh": last["refresh"]})
    for token in (pair.refresh, second["refresh"], last["refresh"]):
        assert refreshed(token).status_code == 401


@pytest.mark.django_db(transaction=True)
def test_simultaneous_rotations_get_the_same_pair_and_the_family_lives(alice, settings):
    settings.API_RATES = settings.API_RATES | {"login": "10000/m"}
    for _round in range(10):
        pair = tokens.issue(alice, now=datetime.now(UTC))
        answers = at_once([partial(refreshed, pair.refresh)] * 8)
        assert [answer.status_code for answer in answers] == [200] * 8
        assert len({(answer.json()["access"], answer.json()["refresh"]) for answer in answers}) == 1
        assert refreshed(answers[0].json()["refresh"]).status_code == 200
        assert RefreshToken.objects.filter(family=claims(pair.refresh)["fam"], spent_at=None).count() == 1


def test_the_token_itself_is_not_stored(alice, pair):
    row = RefreshToken.objects.get()
    assert row.jti.hex == uuid.UUID(claims(pair.refresh)["jti"]).hex
    assert pair.refresh not in str(RefreshToken.objects.values())


def test_tokens_expire(alice):
    with time_machine.travel(datetime(2026, 11, 21, 12, tzinfo=UTC), tick=False) as clock:
        pair = tokens.issue(alice, now=datetime.now(UTC))
        clock.shift(timedelta(seconds=599))
        assert me(pair.access).status_code == 200
        clock.shift(timedelta(seconds=1))
        assert me(pair.access).status_code == 401
        clock.shift(timedelta(seconds=86400 - 601))
        second = refreshed(pair.refresh)
        assert second.status_code == 200
        clock.shift(timedelta(seconds=86400))
        assert refreshed(second.json()["refresh"]).status_code == 401


def disable(user: User) -> None:
    closure.close(user, now=datetime.now(UTC))


def change_password(user: User) -> None:
    user.set_password("another good password")
    user.save()


@pytest.mark.parametrize(
    "revoke", [disable, User.delete, change_password, lambda user: tokens.end_all(user, now=datetime.now(UTC))]
)
def test_revocation_takes_effect_at_once(alice, pair, revoke):
    assert me(pair.access).status_code == 200
    revoke(alice)
    for answer in (me(pair.access), refreshed(pair.refresh)):
        assert answer.status_code == 401
        assert answer.json()["code"] == "invalid_token"


def test_upgrading_the_password_hash_ends_no_session(alice, client, settings):
    pair = log_in(client, username="alice").json()
    hasher = "django.contrib.auth.hashers.PBKDF2PasswordHasher"
    settings.PASSWORD_HASHERS = [hasher, *settings.PASSWORD_HASHERS]
    second = log_in(client, username="alice").json()
    assert User.objects.get().password.startswith("pbkdf2")
    assert me(pair["access"]).status_code == 200
    assert me(second["access"]).status_code == 200


def test_log_out_ends_the_session_with_its_access_token(alice, client, pair):
    other = tokens.issue(alice, now=datetime.now(UTC))
    answer = client.post("/api/auth/logout", {"refresh": pair.refresh})
    assert (answer.status_code, answer.content) == (204, b"")
    assert me(pair.access).status_code == refreshed(pair.refresh).status_code == 401
    assert me(other.access).status_code == 200


def test_log_out_everywhere_ends_all_sessions(alice, client, pair):
    other = tokens.issue(alice, now=datetime.now(UTC))
    assert client.post("/api/auth/logout", {"refresh": pair.refresh, "all": True}).status_code == 204
    for each in (pair, other):
        assert me(each.access).status_code == refreshed(each.refresh).status_code == 401
    assert log_in(client, username="alice").status_code == 200


def test_log_out_requires_a_valid_refresh_token(alice, mallory, client, pair):
    assert client.post("/api/auth/logout", {"refresh": pair.access}).status_code == 401
    assert client.post("/api/auth/logout", {"refresh": "x", "all": True}).status_code == 401
    assert client.post("/api/auth/logout", {}).status_code == 400
    client.post("/api/auth/logout", {"refresh": pair.refresh})
    assert client.post("/api/auth/logout", {"refresh": pair.refresh, "all": True}).status_code == 401
    assert me(tokens.issue(alice, now=datetime.now(UTC)).access).status_code == 200


def test_expired_refresh_tokens_are_deleted(alice, pair):
    now = datetime.now(UTC)
    assert tokens.forget(now=now) == 0
    assert tokens.forget(now=now + timedelta(days=1, seconds=1)) == 1
