"""The database goes away under a real worker and a real scheduler: one line in each log, and one when it is back."""

import sys
from collections.abc import Iterator

import pytest
import redis

from billing_site.celery import app
from tests.flows.site import Site, wait_for
from tests.settings import BROKER_DATABASE, VALKEY

pytestmark = [pytest.mark.broker, pytest.mark.timeout(400)]
# Pokes during the outage, each of which needs the database.
POKES = 40
QUEUE = "billing"


@pytest.fixture
def broker() -> Iterator["redis.Redis"]:
    with redis.Redis.from_url(VALKEY.cache_url(BROKER_DATABASE)) as broker:
        yield broker


def poke() -> None:
    app.send_task("subscriptions.tasks.bill_due", queue=QUEUE)


def lines(site: Site, name: str, event: str) -> int:
    return site.log(name).count(event)


def test_a_worker_logs_one_line_for_an_outage(site, relay, broker):
    site.start_worker(LOG_LEVEL="INFO", LOG_FORMAT="json")
    wait_for(lambda: "ready." in site.log("worker"), "the worker")
    relay.stop()
    for _ in range(POKES):
        poke()
    wait_for(lambda: lines(site, "worker", "server_unreachable"), "the line of the outage")
    wait_for(lambda: not broker.llen(QUEUE) and not broker.hlen("unacked"), "all pokes to be dropped")
    assert lines(site, "worker", "server_unreachable") == 1
    assert "Traceback" not in site.log("worker")
    assert "Connection refused" in site.log("worker") or "closed" in site.log("worker")
    relay.start()
    poke()
    wait_for(lambda: lines(site, "worker", "server_reachable_again"), "the end of the outage")
    wait_for(lambda: not broker.llen(QUEUE) and not broker.hlen("unacked"), "the last poke")
    assert lines(site, "worker", "server_reachable_again") == 1
    assert lines(site, "worker", "server_unreachable") == 1


def test_beat_logs_one_line_for_an_outage_and_goes_on(site, relay, broker):
    celery = ["-m", "celery", "--quiet", "--app", "billing_site", "beat", "--pidfile="]
    site.start("beat", [sys.executable, *celery], LOG_LEVEL="INFO", LOG_FORMAT="json")
    wait_for(lambda: waiting(broker), "the first pokes")
    relay.stop()
    wait_for(lambda: lines(site, "beat", "server_unreachable"), "the line of the outage")
    before = waiting(broker)
    wait_for(lambda: waiting(broker) >= before + 10, "more pokes during the outage")
    assert lines(site, "beat", "server_unreachable") == 1
    assert "Traceback" not in site.log("beat")
    relay.start()
    wait_for(lambda: lines(site, "beat", "server_reachable_again"), "the end of the outage")
    assert lines(site, "beat", "server_unreachable") == 1


def waiting(broker: "redis.Redis") -> int:
    """Return how many pokes wait in all queues."""
    return sum(int(str(broker.llen(queue))) for queue in ("billing", "payments", "deliveries"))
