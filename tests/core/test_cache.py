"""A cache that is down: the site goes on, without limits and without errors."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.cache import caches
from django.test import Client
from rest_framework.test import APIClient

from billing_site.settings import site
from core import cache as cache_module
from core.cache import SKIPPED_FOR, ForgetfulRedisCache


@pytest.fixture
def down() -> ForgetfulRedisCache:
    """A cache at a port where nobody listens."""
    return ForgetfulRedisCache("redis://127.0.0.1:1/0", {})


@pytest.fixture(autouse=True)
def _forget_what_was_down():
    cache_module._skipped_until.clear()
    yield
    cache_module._skipped_until.clear()


@pytest.fixture
def site_without_cache(settings):
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}}


def test_a_cache_that_is_down_is_empty_and_takes_everything(down):
    assert down.get("name", "nothing") == "nothing"
    assert down.add("name", 1) is True
    down.set("name", 1)
    assert down.delete("name") is False
    with pytest.raises(ValueError, match="name"):
        down.incr("name")
    assert not down.is_reachable()


def test_a_cache_that_is_up_keeps_what_it_is_given():
    cache = caches["default"]
    assert isinstance(cache, ForgetfulRedisCache)
    assert cache.is_reachable()
    assert cache.add("number", 1) is True
    assert cache.add("number", 2) is False
    assert cache.incr("number") == 2
    assert cache.get("number") == 2
    assert cache.delete("number") is True


@pytest.mark.django_db
@pytest.mark.usefixtures("site_without_cache")
def test_pages_and_api_answer_while_the_cache_is_down(alice):
    sent = {"username": "bob", "email": "bob@example.com", "password1": "unrelated words of mine"}
    assert Client().post("/signup/", sent).status_code == 302
    assert Client().post("/login/", {"login": "alice", "password": "wrong"}).status_code == 200
    assert APIClient().get("/api/plans/").status_code == 200
    assert APIClient().post("/api/auth/token", {"username": "alice", "password": "wrong"}).status_code == 401


@pytest.fixture
def hanging():
    """The URL of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


def test_a_cache_that_hangs_is_asked_once_in_ten_seconds(hanging, monkeypatch):
    options = {"OPTIONS": {"socket_connect_timeout": 0.2, "socket_timeout": 0.2}}
    began = time.monotonic()
    cache = ForgetfulRedisCache(hanging, options)
    assert [cache.get("name") for _ in range(50)] == [None] * 50
    assert cache.add("name", 1) is True
    with ThreadPoolExecutor(1) as other_thread:
        other_thread.submit(ForgetfulRedisCache(hanging, options).set, "name", 1).result()
    # 52 questions that each wait would take 10 s.
    assert 0.2 <= time.monotonic() - began < 5
    now = time.monotonic() + SKIPPED_FOR
    monkeypatch.setattr(time, "monotonic", lambda: now)
    asked = []
    monkeypatch.setattr(cache._cache, "get", lambda key, default: asked.append(key))
    cache.get("name")
    assert len(asked) == 1


def test_a_cache_that_answers_a_probe_is_used_again_at_once():
    cache = caches["default"]
    assert isinstance(cache, ForgetfulRedisCache)
    cache.set("name", 1)
    cache_module._skipped_until[cache._url] = time.monotonic() + 1000
    assert cache.get("name") is None
    assert cache.is_reachable()
    assert cache.get("name") == 1


def test_the_site_waits_a_fifth_of_a_second_for_its_cache():
    options = site.CACHES["default"]["OPTIONS"]
    assert options == {"socket_connect_timeout": 0.2, "socket_timeout": 0.2}
