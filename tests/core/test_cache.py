"""A cache that is down: the site goes on, without limits and without errors."""

import pytest
from django.core.cache import caches
from django.test import Client
from rest_framework.test import APIClient

from core.cache import ForgetfulRedisCache


@pytest.fixture
def down() -> ForgetfulRedisCache:
    """A cache at a port where nobody listens."""
    return ForgetfulRedisCache("redis://127.0.0.1:1/0", {})


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
