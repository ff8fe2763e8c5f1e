"""A web process killed with SIGKILL in the middle of a request with a key: a repeat gets one result."""

import os
import signal
import threading
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
import requests
from django.db import connection

from subscriptions.models import Subscription
from tests.conftest import PASSWORD
from tests.flows.site import Site, Visitor, wait_for
from tests.subscriptions.bank import balance, basic
from tests.subscriptions.shop import pay_in

pytestmark = [pytest.mark.broker, pytest.mark.timeout(400)]


def waiting() -> int:
    """Return how many sessions wait for a lock of the ledger."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return int(cursor.fetchone()[0])


def children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_the_key_of_a_killed_request_is_free_and_its_repeat_charges_once(site: Site, alice):
    basic()
    pay_in(alice, 2000_00, at=datetime.now(UTC))
    site.start_web()
    visitor = Visitor(site)
    visitor.log_in("alice", PASSWORD)
    visitor.session.headers["Idempotency-Key"] = "once"
    order = {"plan": "basic", "currency": "RUB"}
    ended: list[BaseException] = []

    def send() -> None:
        try:
            visitor.call("POST", "subscriptions/", expect=201, **order)
        except requests.ConnectionError as error:
            ended.append(error)

    parameters = connection.get_connection_params() | {"cursor_factory": psycopg.Cursor, "context": None}
    with psycopg.connect(**parameters) as holder:
        holder.execute("LOCK TABLE ledger_transaction IN SHARE ROW EXCLUSIVE MODE")
        request = threading.Thread(target=send)
        request.start()
        wait_for(waiting, "the request to be in the middle of its charge")
        [worker] = children(site.running["web"].pid)
        os.kill(worker, signal.SIGKILL)
        request.join(30)
        assert len(ended) == 1
        # PostgreSQL sees that its client is gone when the statement ends: here when it has waited too long for it.
        wait_for(lambda: not waiting(), "the session to end")
        holder.rollback()
    wait_for(site.answers, "the next web process")
    answers = [visitor.call("POST", "subscriptions/", expect=201, **order) for _ in range(2)]
    assert answers[0] == answers[1]
    assert Subscription.objects.filter(customer=alice).count() == 1
    assert balance(alice) == 2000_00 - 990_00
    assert site.manage("check_ledger").returncode == 0
