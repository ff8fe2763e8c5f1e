"""Log-in for API tokens, and what makes an access token valid."""

import json
import uuid
from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher
from rest_framework_simplejwt.tokens import AccessToken

from accounts import tokens
from tests.accounts.conftest import log_in, me
from tests.accounts.token_forgery import KEY, claims, forged, signed, tampered
from tests.conftest import PASSWORD


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


NOW = int(datetime.now(UTC).timestamp())
BAD = {
    "nothing": lambda p: "",
    "no token": lambda p: "abc",
    "two parts": lambda p: p.access.rsplit(".", 1)[0],
    "no signature": lambda p: p.access.rsplit(".", 1)[0] + ".",
    "a cut signature": lambda p: p.access[:-5],
    "a changed signature": lambda p: p.access[:-1] + ("A" if p.access[-1] != "A" else "B"),
    "absurd date": lambda p: tampered(p.access, exp=10**20),
    "date below all": lambda p: tampered(p.access, exp=-(10**20)),
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


def test_there_is_no_endpoint_to_verify_tokens(db, client):
    assert client.post("/api/auth/token/verify", {"token": "x"}).status_code == 404


def test_checking_a_token_costs_one_query(alice, pair, django_assert_num_queries):
    access_claims = tokens.read(pair.access, kind=AccessToken)
    with django_assert_num_queries(1):
        assert tokens.owner(access_claims) == alice
