"""The embedded Valkey as broker and cache. test_postgres.py tests the lease."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from django.core.cache.backends.redis import RedisCache
from kombu import Connection

from billing_site.local import processes
from billing_site.local.lease import ServerError
from billing_site.local.valkey import Valkey


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Valkey]:
    """Hold a server in a directory whose name needs quoting in a URL."""
    server = Valkey(tmp_path / "50% of #1" / "valkey")
    server.hold()
    yield server
    assert server.release()


def client(server: Valkey, database: int = 0) -> redis.Redis:
    """Return a client of one database of the server."""
    return redis.Redis.from_url(server.cache_url(database))


def test_the_urls_work_for_celery_and_for_django(valkey):
    with Connection(valkey.broker_url(2)) as connection:
        queue = connection.SimpleQueue("q")
        queue.put({"for": "celery"})
        assert queue.get(timeout=5).payload == {"for": "celery"}
        queue.close()
    RedisCache(valkey.cache_url(3), {}).set("name", "value")
    with client(valkey) as server:
        assert {"db2", "db3"} == {*server.info("keyspace")}


def test_no_other_user_can_reach_the_server(valkey):
    with client(valkey) as server:
        assert server.config_get("port") == {"port": "0"}
    assert valkey.data.stat().st_mode & 0o077 == 0
    assert valkey.socket.stat().st_mode & 0o077 == 0


def test_the_server_keeps_nothing_on_disk(valkey):
    with client(valkey) as server:
        server.set("name", "value")
    # The socket is elsewhere if the path of this folder is long.
    assert {file.name for file in {*valkey.data.iterdir(), valkey.socket}} == {"valkey.sock", "valkey.pid"}
    assert valkey.release()
    assert [*valkey.data.iterdir()] == []
    valkey.hold()
    with client(valkey) as server:
        assert server.get("name") is None


def test_a_killed_server_is_replaced(valkey):
    first = valkey.pid()
    assert first
    os.kill(first, signal.SIGKILL)
    valkey.hold()
    assert valkey.pid() not in (None, first)
    with client(valkey) as server:
        assert server.ping()


def test_a_server_that_is_just_dying_is_replaced(valkey, monkeypatch):
    """A killed process can still be listed when the next start looks for it."""
    first = valkey.pid()
    os.kill(first, signal.SIGKILL)
    while valkey.pid():
        time.sleep(0.01)
    real, still_listed = valkey.pid, iter([first])
    monkeypatch.setattr(valkey, "pid", lambda: next(still_listed, None) or real())
    valkey.hold()
    assert valkey.pid() not in (None, first)


class StopNow(Exception):
    """Stands for a signal to the launcher while it waits for the server."""


def test_a_server_that_has_just_been_launched_is_stopped(tmp_path, monkeypatch):
    """The launcher may have to stop before the server has written its process number to a file."""
    server = Valkey(tmp_path / "valkey")
    monkeypatch.setattr(server, "_problem", lambda: "it does not answer yet")

    def stop_now(seconds: float) -> None:
        (server.data / server.pid_name).unlink(missing_ok=True)
        raise StopNow

    with pytest.raises(StopNow):
        server.hold(stop_now)
    launched = server.pid()
    assert launched
    assert server.release()
    assert not processes.is_alive(launched)


def test_a_failed_start_says_why_and_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr("billing_site.local.valkey.DATABASES", 0)
    server = Valkey(tmp_path / "valkey")
    with pytest.raises(ServerError, match="CELERY_BROKER_URL and CACHE_URL") as error:
        server.hold()
    assert "databases" in str(error.value), "the end of its log"


def test_a_checkout_with_a_long_path_gets_a_short_socket_path(tmp_path):
    server = Valkey(tmp_path / ("deep" * 30) / "valkey")
    server.hold()
    assert len(str(server.socket)) <= 103
    with client(server) as connection:
        assert connection.ping()
    assert server.release()
