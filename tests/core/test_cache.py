"""A cache that is down: the site goes on, without limits and without errors."""

import socket
import socketserver
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.cache import caches
from django.test import Client
from rest_framework.test import APIClient

from billing_site.settings import site
from core import cache as cache_module
from core.cache import SKIPPED_FOR, UNREACHABLE, ForgetfulRedisCache


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
    assert down.trouble() == UNREACHABLE


def test_a_cache_that_is_up_keeps_what_it_is_given():
    cache = caches["default"]
    assert isinstance(cache, ForgetfulRedisCache)
    assert cache.trouble() == ""
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


class NonsenseServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    said = b""


class Nonsense(socketserver.StreamRequestHandler):
    """A server that answers each request with the same bytes, after a handshake as of a real one."""

    def handle(self) -> None:
        assert isinstance(self.server, NonsenseServer)
        while data := self.request.recv(65536):
            is_greeting = b"CLIENT" in data or b"HELLO" in data or b"SELECT" in data
            self.request.sendall(b"+OK\r\n" * max(1, data.count(b"*")) if is_greeting else self.server.said)


@pytest.fixture
def nonsense():
    """Return a function that returns the cache of a server which answers everything with the same bytes."""
    with NonsenseServer(("127.0.0.1", 0), Nonsense) as server:
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()

        def cache_of(said: bytes) -> ForgetfulRedisCache:
            server.said = said
            url = f"redis://127.0.0.1:{server.server_address[1]}/0"
            cache = ForgetfulRedisCache(url, {"OPTIONS": {"socket_connect_timeout": 0.2, "socket_timeout": 0.2}})
            opened.append(cache)
            return cache

        opened: list[ForgetfulRedisCache] = []
        yield cache_of
        for cache in opened:
            cache._cache.get_client().connection_pool.disconnect()
        server.shutdown()


CALLS = {
    "get": (lambda cache: cache.get("name", "nothing"), "nothing"),
    "add": (lambda cache: cache.add("name", 1), True),
    "set": (lambda cache: cache.set("name", 1), None),
    "delete": (lambda cache: cache.delete("name"), False),
    "run": (lambda cache: cache.run("return {}", ["name"], []), None),
    "add_up": (lambda cache: cache.add_up("name", {"field": 1}), None),
    "added_up": (lambda cache: cache.added_up("name"), {}),
    "trouble": (lambda cache: cache.trouble(), UNREACHABLE),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    "said", [b":abc\r\n", b"$abc\r\n", b"*x\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"-ERR\r\n"]
)
def test_a_server_that_speaks_nonsense_is_unreachable(nonsense, call, said):
    ask, otherwise = CALLS[call]
    assert ask(nonsense(said)) == otherwise


@pytest.mark.parametrize("call", ["get", "added_up", "run", "trouble"])
@pytest.mark.parametrize("said", [b"+OK\r\n", b"*1\r\n$2\r\nno\r\n", b"$3\r\nodd\r\n"])
def test_an_answer_of_the_wrong_kind_is_none(nonsense, call, said):
    ask, otherwise = CALLS[call]
    assert ask(nonsense(said)) == otherwise


@pytest.mark.parametrize("said", [b":abc\r\n", b"+OK\r\n", b"*1\r\n$2\r\nno\r\n"])
def test_nothing_is_increased_by_a_server_that_speaks_nonsense(nonsense, said):
    with pytest.raises(ValueError, match="name"):
        nonsense(said).incr("name")


def test_a_cache_that_answers_a_probe_is_used_again_at_once():
    cache = caches["default"]
    assert isinstance(cache, ForgetfulRedisCache)
    cache.set("name", 1)
    cache_module._skipped_until[cache._url] = time.monotonic() + 1000
    assert cache.get("name") is None
    assert cache.trouble() == ""
    assert cache.get("name") == 1


def test_the_site_waits_a_fifth_of_a_second_for_its_cache():
    options = site.CACHES["default"]["OPTIONS"]
    assert options == {"socket_connect_timeout": 0.2, "socket_timeout": 0.2}
