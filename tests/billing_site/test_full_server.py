"""A Redis or Valkey whose memory is full: it answers, reads are right, and it takes no task and no value."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from django.core.cache import caches
from kombu import Connection

from billing_site import health, status
from billing_site.celery import app
from billing_site.doctor import servers
from billing_site.doctor.result import Verdict
from billing_site.local.valkey import Valkey
from billing_site.metrics import state
from core.cache import ForgetfulRedisCache

pytestmark = pytest.mark.django_db


@pytest.fixture
def full(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[redis.Redis]:
    """Let the site use a server of its own, with three tasks that wait, whose memory is then full."""
    valkey = Valkey(tmp_path / "valkey")
    valkey.hold()
    with redis.Redis.from_url(valkey.cache_url(0)) as server:
        server.rpush("billing", "1", "2", "3")
        server.config_set("maxmemory", "1")
        monkeypatch.setattr(app, "connection_for_write", lambda: Connection(valkey.broker_url(0)))
        settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": valkey.cache_url(1)}}
        yield server
    assert valkey.release()


def trouble_of_cache() -> str:
    cache = caches["default"]
    assert isinstance(cache, ForgetfulRedisCache)
    return cache.trouble()


def test_statusz_says_so_and_tells_the_tasks_that_wait(full):
    assert health.broker()["status"] == "takes no tasks"
    assert health.broker()["queues"] == {"billing": 3, "payments": 0, "deliveries": 0}
    assert "memory" in health.broker()["error"]
    assert trouble_of_cache() == "takes no writes"


def test_doctor_says_so_and_what_to_do(full):
    for examine in (servers.broker, servers.the_cache):
        [result] = examine()
        assert (result.verdict, "maxmemory" in result.do) == (Verdict.FAILS, True), examine.__name__


def test_the_metrics_say_so(full):
    values = {metric.name: metric.samples[0].value for metric in state.collect() if len(metric.samples) == 1}
    up = (values["billing_broker_up"], values["billing_broker_takes_tasks"], values["billing_cache_up"])
    assert up == (1, 0, 0)


def test_with_memory_again_all_is_well(full):
    full.config_set("maxmemory", "0")
    assert (status.broker().refusal, trouble_of_cache()) == ("", "")
    values = {metric.name: metric.samples[0].value for metric in state.collect() if len(metric.samples) == 1}
    assert (values["billing_broker_takes_tasks"], values["billing_cache_up"]) == (1, 1)


def test_a_replica_takes_no_tasks_either(full):
    full.config_set("maxmemory", "0")
    full.replicaof("127.0.0.1", "1")
    assert health.broker()["status"] == "takes no tasks"
    assert trouble_of_cache() == "takes no writes"
    full.replicaof("NO", "ONE")
