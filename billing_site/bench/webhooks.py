"""Intake of webhooks: the real web server over HTTP, against a plain INSERT and COMMIT of the same bytes.

Intake ends with the answer 200: the event is stored, and a task that processes it is in the queue. No worker runs.
"""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from itertools import count
from typing import Any

import psycopg
import redis
from django.conf import settings
from django.db import connection

from billing_site.local.fakes import stripe
from billing_site.local.fakes.stripe import objects
from billing_site.local.fakes.stripe.api import signature
from billing_site.local.valkey import Valkey

# Databases of the embedded Valkey that nothing else uses. They are emptied before and after.
BROKER_DATABASE, CACHE_DATABASE = 2, 3
# Seconds that the web server may take to start.
PATIENCE = 60

INSERT = """
    INSERT INTO payments_webhookevent (gateway, event_id, type, subject, gateway_id, payload, status, outcome, tries,
        received_at, next_try_at)
    VALUES ('stripe', %s, 'checkout.session.completed', 'payment', 'cs_test', %s, 'received', '', 0, now(), now())
"""
# Sends one event and returns once it is stored.
Send = Callable[[], None]


def intake(seconds: float, clients: int, turns: int) -> dict[str, Any]:
    """Send Stripe's webhooks from so many clients for `seconds`, then insert the same bytes; both once in each turn.

    Return the rates of both, in events a second, and the 50th and 99th percentile of the answers, in milliseconds.
    """
    # Each event has a number of its own; `count` is safe for threads.
    numbers = count()
    ours, theirs, times = [], [], []
    with _web_server() as port:
        for _ in range(turns):
            answers = _send_together([_http_client(port, numbers) for _ in range(clients)], seconds)
            inserts = _send_together([_sql_client(numbers) for _ in range(clients)], seconds)
            ours.append(len(answers) / seconds)
            theirs.append(len(inserts) / seconds)
            times += answers
    times.sort()
    p50, p99 = (times[len(times) * percent // 100] * 1000 for percent in (50, 99))
    return {"ours": ours, "theirs": theirs, "p50": p50, "p99": p99}


def _send_together(clients: list[Send], seconds: float) -> list[float]:
    """Let each client send as fast as it is answered; return how many seconds each answer took."""
    times: list[float] = []
    failures: list[Exception] = []
    ready = threading.Barrier(len(clients))

    def run(send: Send) -> None:
        try:
            # The first one connects.
            send()
            ready.wait(timeout=PATIENCE)
            end = time.perf_counter() + seconds
            while (began := time.perf_counter()) < end:
                send()
                times.append(time.perf_counter() - began)
        except Exception as error:  # noqa: BLE001 - raised again below
            failures.append(error)
            ready.abort()

    threads = [threading.Thread(target=run, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return times


def _event(number: int) -> tuple[str, bytes]:
    """Return the id and the body of an event about a paid Checkout Session, of 2 kB as Stripe's are."""
    session = {
        "id": "cs_test", "object": "checkout.session", "status": "complete", "payment_status": "paid",
        "metadata": {"payment": "pay_" + "0" * 26, "customer": "1"}, "success_url": "https://a.example/" + "0" * 1500,
    }  # fmt: skip
    event = objects.event("checkout.session.completed", session, created=int(time.time()))
    return f"evt_{number}", json.dumps(event | {"id": f"evt_{number}"}).encode()


def _http_client(port: int, numbers: Iterator[int]) -> Send:
    """Return a client of the web server that keeps its connection. Raises RuntimeError for any answer but 200."""
    server = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)

    def send() -> None:
        _, body = _event(next(numbers))
        signed = signature(body, stripe.WEBHOOK_SECRET, at=int(time.time()))
        headers = {"Content-Type": "application/json", "Stripe-Signature": signed}
        server.request("POST", "/webhooks/stripe/", body, headers)
        answer = server.getresponse()
        answer.read()
        if answer.status != 200:
            raise RuntimeError(f"the web server answered a webhook with {answer.status}")

    return send


def _sql_client(numbers: Iterator[int]) -> Send:
    """Return a client of the database on a connection of its own. Each INSERT is a transaction."""
    database = psycopg.connect(**connection.get_connection_params(), autocommit=True)

    def send() -> None:
        event_id, body = _event(next(numbers))
        database.execute(INSERT, [f"sql_{event_id}", body.decode()])

    return send


@contextmanager
def _web_server() -> Iterator[int]:
    """Run the web server of `make run` on this process's database, and return its port."""
    valkey = Valkey(settings.VAR_DIR / "valkey")
    valkey.hold()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    environment = os.environ | {
        "PORT": str(port), "STRIPE_SECRET_KEY": stripe.KEY, "STRIPE_WEBHOOK_SECRET": stripe.WEBHOOK_SECRET,
        "CELERY_BROKER_URL": valkey.broker_url(BROKER_DATABASE), "CACHE_URL": valkey.cache_url(CACHE_DATABASE),
    }  # fmt: skip
    _empty(valkey)
    command = [sys.executable, "-m", "gunicorn", "--config", "python:billing_site.gunicorn"]
    server = subprocess.Popen(  # noqa: S603 - our own interpreter and server
        command, env=environment, cwd=settings.BASE_DIR, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(server, port)
        yield port
    finally:
        server.terminate()
        server.wait(timeout=PATIENCE)
        _empty(valkey)


def _wait_for(server: "subprocess.Popen[bytes]", port: int) -> None:
    """Wait until the web server takes connections. Raises RuntimeError if it has ended or takes too long."""
    give_up = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError as error:
            if server.poll() is not None or time.monotonic() > give_up:
                raise RuntimeError(f"the web server does not answer; its exit code is {server.poll()}") from error
            time.sleep(0.1)
        else:
            return


def _empty(valkey: Valkey) -> None:
    for database in (BROKER_DATABASE, CACHE_DATABASE):
        with redis.Redis(unix_socket_path=str(valkey.socket), db=database) as server:
            server.flushdb()
