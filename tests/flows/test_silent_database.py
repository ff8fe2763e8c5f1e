"""The database is frozen, or its network is cut: nothing answers and nothing is refused. All is well afterwards."""

import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
import requests

from billing_site.celery import app
from core.models import SchedulerProcess
from subscriptions.models import Subscription
from tests.conftest import PASSWORD
from tests.flows.site import Site, Visitor, wait_for
from tests.relay import Relay
from tests.subscriptions.bank import balance, basic
from tests.subscriptions.shop import pay_in

pytestmark = [pytest.mark.broker, pytest.mark.timeout(400)]
ORDER = {"plan": "basic", "currency": "RUB"}


def status(site: Site, path: str) -> int:
    """Ask without a session, and wait as long as a proxy would."""
    return requests.get(f"{site.url}{path}", timeout=60).status_code


def is_ready(site: Site) -> bool:
    return status(site, "/readyz") == 200


def both_say(site: Site, event: str) -> bool:
    return all(event in site.log(name) for name in ("worker", "beat"))


def test_requests_end_with_503_and_the_repeat_of_one_with_a_key_works(site: Site, relay: Relay, alice: Any) -> None:
    basic()
    pay_in(alice, 2000_00, at=datetime.now(UTC))
    site.start_web()
    visitor = Visitor(site)
    visitor.log_in("alice", PASSWORD)
    visitor.session.headers["Idempotency-Key"] = "once"
    relay.fall_silent()
    with ThreadPoolExecutor(3) as pool:
        order = pool.submit(visitor.call, "POST", "subscriptions/", expect=503, **ORDER)
        pages = pool.map(lambda path: status(site, path), ("/pricing/", "/readyz"))
        assert status(site, "/livez") == 200
        assert order.result()["code"] == "unavailable"
        assert list(pages) == [503, 503]
    # More requests than threads: they need not wait one after the other for what is known.
    with ThreadPoolExecutor(12) as pool:
        assert set(pool.map(lambda path: status(site, path), ["/pricing/", "/readyz"] * 6)) == {503}
    assert status(site, "/livez") == 200
    relay.speak()
    wait_for(lambda: is_ready(site), "the database")
    first, again = (visitor.call("POST", "subscriptions/", expect=201, **ORDER) for _ in range(2))
    assert first == again
    assert Subscription.objects.filter(customer=alice).count() == 1
    assert balance(alice) == 2000_00 - 990_00
    assert "Traceback" not in site.log("web")


def test_worker_and_scheduler_tell_of_it_once_and_go_on(site: Site, relay: Relay) -> None:
    site.start_worker(LOG_FORMAT="json")
    celery = ["-m", "celery", "--quiet", "--app", "billing_site", "beat", "--pidfile="]
    site.start("beat", [sys.executable, *celery], LOG_FORMAT="json")
    wait_for(lambda: "ready." in site.log("worker"), "the worker")
    wait_for(lambda: SchedulerProcess.objects.exists(), "the scheduler")
    relay.fall_silent()
    app.send_task("subscriptions.tasks.bill_due", queue="billing")
    wait_for(partial(both_say, site, "server_unreachable"), "the lines of the outage")
    relay.speak()
    app.send_task("subscriptions.tasks.bill_due", queue="billing")
    wait_for(partial(both_say, site, "server_reachable_again"), "the end of the outage")
    for name in ("worker", "beat"):
        assert site.log(name).count("server_unreachable") == 1
        assert "Traceback" not in site.log(name)
