"""Log-in, rotation, expiry and revocation of API tokens."""

import base64
import json
import threading
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
import time_machine
from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.db import connection, connections
from rest_framework_simplejwt.tokens import AccessToken

from accounts import tokens
from accounts.models import RefreshToken, User
from subscriptions import closure
from tests.accounts.conftest import me, refreshed
from tests.conftest import PASSWORD

KEY = settings.SIMPLE_JWT["SIGNING_KEY"]


def claims(token: str) -> dict:
    return jwt.decode(token, options={"verify_signature": False})


def log_in(client, **body):
    return client.post("/api/auth/token", {"password": PASSWORD} | body)


@pytest.mark.parametrize(
    "who",
    [
        {"username": "alice"},
        {"username": "ALICE"},
        {"username": "alice@example.com"},
        {"email": "alice@example.com"},
        {"email": "Alice@Example.com"},
    ],
)
def test_a_user_logs_in_by_name_or_email(alice, client, who):
    answer = log_in(client, **who)
    assert answer.status_code == 200
    assert me(answer.json()["access"]).json()["id"] == alice.pk


def test_the_payload_names_user_issuer_and_audience(alice, pair):
    for token, kind in ((pair.access, "access"), (pair.refresh, "refresh")):
        payload = claims(token)
        assert payload["user_id"] == alice.pk
        assert payload["ver"] == alice.token_version
        assert payload["token_type"] == kind
        assert payload["iss"] == settings.SIMPLE_JWT["ISSUER"]
        assert payload["aud"] == settings.SIMPLE_JWT["AUDIENCE"]
    assert claims(pair.access)["exp"] - claims(pair.access)["iat"] == 600
    assert claims(pair.refresh)["exp"] - claims(pair.refresh)["iat"] == 86400


def test_the_signing_key_is_not_the_secret_key():
    assert KEY != settings.SECRET_KEY
    assert len(KEY) >= 32


@pytest.mark.parametrize("body", [{}, {"username": "alice", "email": "alice@example.com"}])
def test_log_in_requires_exactly_one_name(alice, client, body):
    answer = log_in(client, **body)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["param"] == "username"


def answers_to_wrong_log_ins(client, disabled):
    wrong = [
        {"username": "alice", "password": "wrong"},
        {"username": "nobody", "password": "wrong"},
        {"email": "alice@example.com", "password": "wrong"},
        {"email": "nobody@example.com", "password": "wrong"},
        {"username": disabled.username, "password": PASSWORD},
        {"username": disabled.username, "password": "wrong"},
        {"username": "\ufeff", "password": "wrong"},
        {"username": "a' OR 1=1 --", "password": "wrong"},
    ]
    return [client.post("/api/auth/token", body) for body in wrong]


def test_all_wrong_log_ins_get_the_same_answer(alice, disabled, client):
    answers = answers_to_wrong_log_ins(client, disabled)
    assert {answer.status_code for answer in answers} == {401}
    assert len({json.dumps({k: v for k, v in a.json().items() if k != "request_id"}) for a in answers}) == 1
    assert answers[0].json()["code"] == "invalid_credentials"


def test_unknown_and_known_names_both_cost_one_hash(alice, client, monkeypatch):
    """The response time depends on the number of Argon2 runs, so the test counts those."""
    runs = []
    for name in ("encode", "verify"):
        original = getattr(Argon2PasswordHasher, name)

        def counted(self, *args, original=original, **kwargs):
            runs.append(1)
            return original(self, *args, **kwargs)

        monkeypatch.setattr(Argon2PasswordHasher, name, counted)
    names = [("username", "alice"), ("username", "nobody"), ("email", "alice@example.com"), ("email", "no@example.com")]
    for field, name in names:
        runs.clear()
        assert client.post("/api/auth/token", {field: name, "password": "wrong"}).status_code == 401
        assert len(runs) == 1, name


def forged(header: dict, payload: dict, signature: bytes = b"") -> str:
    parts = [json.dumps(header).encode(), json.dumps(payload).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def signed(payload: dict, key: str = KEY, algorithm: str = "HS256", **headers) -> str:
    return jwt.encode(payload, key, algorithm=algorithm, headers=headers or None)


def tampered(access: str, **changes) -> str:
    return signed({k: v for k, v in (claims(access) | changes).items() if v is not None})


NOW = int(datetime.now(UTC).timestamp())
BAD = {
    "nothing": lambda p: "",
    "no token": lambda p: "abc",
    "two parts": lambda p: p.access.rsplit(".", 1)[0],
    "no signature": lambda p: p.access.rsplit(".", 1)[0] + ".",
    "a cut signature": lambda p: p.access[:-5],
    "a changed signature": lambda p: p.access[:-1] + ("A" if p.access[-1] != "A" else "B"),
    "alg none": lambda p: forged({"alg": "none", "typ": "JWT"}, claims(p.access)),
    "alg None": lambda p: forged({"alg": "None", "typ": "JWT"}, claims(p.access)),
    "no alg": lambda p: forged({"typ": "JWT"}, claims(p.access)),
    "HS512": lambda p: signed(claims(p.access), algorithm="HS512", key=KEY),
    "another key": lambda p: signed(claims(p.access), key="another-key-" + "x" * 40),
    "the secret key": lambda p: signed(claims(p.access), key=settings.SECRET_KEY),
    "a key named in the header": lambda p: signed(
        claims(p.access), key="k" * 40, kid="../../dev/null", jku="https://evil.example"
    ),
    "the refresh token": lambda p: p.refresh,
    "expired": lambda p: tampered(p.access, exp=1_000_000_000),
    "not valid yet": lambda p: tampered(p.access, nbf=NOW + 3600),
    "no expiry": lambda p: tampered(p.access, exp=None),
    "an expiry that is no number": lambda p: tampered(p.access, exp="soon"),
    "another issuer": lambda p: tampered(p.access, iss="https://evil.example"),
    "no issuer": lambda p: tampered(p.access, iss=None),
    "another audience": lambda p: tampered(p.access, aud="somebody"),
    "no audience": lambda p: tampered(p.access, aud=None),
    "no kind": lambda p: tampered(p.access, token_type=None),
    "no user": lambda p: tampered(p.access, user_id=None),
    "a user in words": lambda p: tampered(p.access, user_id="alice"),
    "a user too large": lambda p: tampered(p.access, user_id=2**70),
    "a negative user": lambda p: tampered(p.access, user_id=-1),
    "a user that is true": lambda p: tampered(p.access, user_id=True),
    "a list of users": lambda p: tampered(p.access, user_id=[1]),
    "nobody's user": lambda p: tampered(p.access, user_id=999_999),
    "no version": lambda p: tampered(p.access, ver=None),
    "another version": lambda p: tampered(p.access, ver=99),
    "no family": lambda p: tampered(p.access, fam=None),
    "a family in words": lambda p: tampered(p.access, fam="x"),
    "another family": lambda p: tampered(p.access, fam=str(uuid.uuid4())),
    "no id": lambda p: tampered(p.access, jti=None),
}


@pytest.mark.parametrize("make", BAD.values(), ids=BAD)
def test_an_invalid_access_token_is_401(pair, make):
    answer = me(make(pair))
    assert answer.status_code == 401, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] in ("invalid_token", "not_authenticated")


def test_a_valid_access_token_is_accepted(alice, pair):
    assert me(pair.access).status_code == 200
    assert me(tampered(pair.access)).status_code == 200


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer a b", "Basic YWxpY2U6eA==", "Token abc", "bearer", "Bearer \xff", ""]
)
def test_an_invalid_authorization_header_is_401(alice, client, header):
    assert client.get("/api/auth/me", HTTP_AUTHORIZATION=header).status_code == 401


def test_a_token_in_the_url_is_ignored(alice, client, pair):
    assert client.get(f"/api/auth/me?access={pair.access}").status_code == 401


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


def test_reusing_a_spent_token_ends_the_family(alice, pair):
    second = refreshed(pair.refresh).json()
    other = tokens.issue(alice, now=datetime.now(UTC))
    assert refreshed(pair.refresh).status_code == 401
    assert refreshed(second["refresh"]).status_code == 401
    assert me(second["access"]).status_code == 401
    assert me(pair.access).status_code == 401
    # Another log-in of the same user is another family.
    assert me(other.access).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_only_one_of_eight_simultaneous_rotations_succeeds_and_the_family_ends(alice, settings):
    settings.API_RATES = settings.API_RATES | {"login": "10000/m"}
    for _round in range(10):
        pair = tokens.issue(alice, now=datetime.now(UTC))
        barrier = threading.Barrier(8)
        answers: list[Any] = []

        def go(token=pair.refresh, barrier=barrier, answers=answers):
            connection.ensure_connection()
            barrier.wait(30)
            answers.append(refreshed(token))
            connections.close_all()

        threads = [threading.Thread(target=go) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert sorted(answer.status_code for answer in answers) == [200] + [401] * 7
        (new_pair,) = (answer.json() for answer in answers if answer.status_code == 200)
        # Seven others hold the old token too, and nobody can tell which of the eight is the thief.
        assert refreshed(new_pair["refresh"]).status_code == 401
        assert not RefreshToken.objects.filter(family=claims(pair.refresh)["fam"], spent_at=None).exists()


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


def test_there_is_no_endpoint_to_verify_tokens(db, client):
    assert client.post("/api/auth/token/verify", {"token": "x"}).status_code == 404


def test_expired_refresh_tokens_are_deleted(alice, pair):
    now = datetime.now(UTC)
    assert tokens.forget(now=now) == 0
    assert tokens.forget(now=now + timedelta(days=1, seconds=1)) == 1


def test_checking_a_token_costs_one_query(alice, pair, django_assert_num_queries):
    access_claims = tokens.read(pair.access, kind=AccessToken)
    with django_assert_num_queries(1):
        assert tokens.owner(access_claims) == alice
