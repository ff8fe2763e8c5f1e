"""Intake of webhooks: the real web server over HTTP, against a plain INSERT and COMMIT of the same bytes.

Intake ends with the answer 200: the event is stored, and a task that processes it is in the queue. No worker runs.
"""

import json
import time
from collections.abc import Iterator
from itertools import count
from typing import Any

import psycopg
from django.db import connection

from billing_site.bench import http_load
from billing_site.bench.http_load import Send
from billing_site.local.fakes import stripe
from billing_site.local.fakes.stripe import objects
from billing_site.local.fakes.stripe.api import signature

INSERT = """
    INSERT INTO payments_webhookevent (gateway, event_id, type, subject, gateway_id, payload, status, outcome, tries,
        received_at, next_try_at)
    VALUES ('stripe', %s, 'checkout.session.completed', 'payment', 'cs_test', %s, 'received', '', 0, now(), now())
"""


def intake(seconds: float, clients: int, turns: int) -> dict[str, Any]:
    """Send Stripe's webhooks from so many clients for `seconds`, then insert the same bytes; both once in each turn.

    Return the rates of both, in events a second, and the 50th and 99th percentile of the answers, in milliseconds.
    """
    # Each event has a number of its own; `count` is safe for threads.
    numbers = count()
    ours, theirs, times = [], [], []
    keys = {"STRIPE_SECRET_KEY": stripe.KEY, "STRIPE_WEBHOOK_SECRET": stripe.WEBHOOK_SECRET}
    with http_load.web_server(**keys) as port:
        for _ in range(turns):
            answers = http_load.send_together([_http_client(port, numbers) for _ in range(clients)], seconds)
            inserts = http_load.send_together([_sql_client(numbers) for _ in range(clients)], seconds)
            ours.append(len(answers) / seconds)
            theirs.append(len(inserts) / seconds)
            times += answers
    p50, p99 = http_load.percentiles(times)
    return {"ours": ours, "theirs": theirs, "p50": p50, "p99": p99}


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
    server = http_load.connect(port)

    def send() -> None:
        _, body = _event(next(numbers))
        signed = signature(body, stripe.WEBHOOK_SECRET, at=int(time.time()))
        headers = {"Content-Type": "application/json", "Stripe-Signature": signed}
        http_load.ask(server, "POST", "/webhooks/stripe/", headers, body)

    return send


def _sql_client(numbers: Iterator[int]) -> Send:
    """Return a client of the database on a connection of its own. Each INSERT is a transaction."""
    database = psycopg.connect(**connection.get_connection_params(), autocommit=True)

    def send() -> None:
        event_id, body = _event(next(numbers))
        database.execute(INSERT, [f"sql_{event_id}", body.decode()])

    return send
