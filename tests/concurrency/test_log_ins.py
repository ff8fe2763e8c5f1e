"""Guesses that are sent at once pass no limit: each is counted before the next is checked."""

import threading
from functools import partial

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import User
from tests.concurrency.sessions import at_once
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)
GUESSES = 10


@pytest.fixture(autouse=True)
def _rates(settings):
    settings.API_RATES = dict.fromkeys(settings.API_RATES, "100000/m")


@pytest.fixture(autouse=True)
def _quick_hashes(settings, alice):
    """On a busy machine Argon2 makes the last guess wait longer than the database waits for a lock."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    alice.set_password(PASSWORD)
    alice.save()


@pytest.fixture
def verified(monkeypatch) -> list[str]:
    """The passwords that were compared with the account's."""
    compared: list[str] = []
    lock, real = threading.Lock(), User.check_password

    def check_password(self, raw):
        with lock:
            compared.append(raw)
        return real(self, raw)

    monkeypatch.setattr(User, "check_password", check_password)
    return compared


def on_api(password: str, address: str, name: str = "alice") -> int:
    sent = {"username": name, "password": password}
    return APIClient().post("/api/auth/token", sent, REMOTE_ADDR=address).status_code


def on_page(password: str, address: str) -> int:
    return Client().post("/login/", {"login": "alice", "password": password}, REMOTE_ADDR=address).status_code


@pytest.mark.parametrize(("guess", "wrong"), [(on_api, 401), (on_page, 200)])
def test_of_many_guesses_at_once_five_are_verified(alice, verified, guess, wrong):
    answers = at_once([partial(guess, f"wrong{n}", "203.0.113.1") for n in range(GUESSES)])
    assert sorted(answers) == [wrong] * 4 + [429] * (GUESSES - 4)
    assert len(verified) == 5


def test_guesses_from_many_addresses_at_once_are_limited(alice, verified, settings):
    settings.LOGIN_FAILURES_ANYWHERE = 6
    at_once([partial(on_api, f"wrong{n}", f"203.0.113.{n}") for n in range(GUESSES)])
    assert len(verified) == 6


def test_guesses_of_many_names_at_once_are_limited(alice, settings):
    settings.LOGIN_FAILURES_ANYWHERE = 6
    answers = at_once([partial(on_api, "wrong", "203.0.113.1", f"user{n}") for n in range(GUESSES)])
    assert answers.count(401) == 5


def test_right_passwords_at_once_are_all_accepted(alice):
    assert at_once([partial(on_api, PASSWORD, "203.0.113.1")] * 4) == [200] * 4
