"""The API over HTTP against bare views, which read or write one row under the same middleware (bench.bare_views)."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from typing import Any

from django.conf import settings

from accounts import tokens
from accounts.models import User
from billing_site.bench import http_load, ledger
from billing_site.bench.http_load import Send
from subscriptions import billing_run
from subscriptions.models import Subscription

# No request of the bench is refused, but each is counted.
VARIABLES = {
    "DJANGO_SETTINGS_MODULE": "billing_site.bench.bare_settings", "PAYMENT_GATEWAYS": "sandbox",
    "API_RATE_USER": "1000000000/d", "API_RATE_ADDRESS": "1000000000/d",
}  # fmt: skip
# Rows in the wallet of each client, besides the charges of its subscription.
HISTORY = 100
READS = {
    "bare read": "/api/bare/{subscription}",
    "access": "/api/subscriptions/{subscription}/access",
    "wallet": "/api/wallet/",
    "transactions": "/api/transactions/?limit=20",
    "pricing": "/api/plans/",
}
WRITES = {"bare write": "/api/bare/", "checkout": "/api/payments/create-checkout-session"}


def answers(seconds: float, clients: int, turns: int) -> dict[str, Any]:
    """Send each kind of request from so many clients for `seconds`, one kind after the other in each turn.

    Return for each kind the rates of its turns, in requests a second, and the 50th and 99th percentile of its answers,
    in milliseconds.
    """
    now = datetime.now(UTC)
    own = list(Subscription.objects.order_by("customer_id").values_list("public_id", "wallet_id")[:clients])
    for _, wallet in own:
        ledger.grow_history(wallet, HISTORY)
    # As in production, where books are settled to a moment ago.
    billing_run.run_due(now=now, catch_up=True)
    customers = [_headers(user, now) for user in User.objects.order_by("pk")]
    numbers = count()
    rates: dict[str, list[float]] = {name: [] for name in (*READS, *WRITES)}
    times: dict[str, list[float]] = {name: [] for name in rates}
    # The server must take the tokens that this process issues.
    with http_load.web_server(**VARIABLES, JWT_ISSUER=settings.SIMPLE_JWT["ISSUER"]) as port:
        for _ in range(turns):
            for name in rates:
                if name in READS:
                    senders = [_reader(port, READS[name], customers[n], own[n][0]) for n in range(clients)]
                else:
                    senders = [_writer(port, WRITES[name], customers, numbers) for _ in range(clients)]
                took = http_load.send_together(senders, seconds)
                rates[name].append(len(took) / seconds)
                times[name] += took
    return {name: [rates[name], http_load.percentiles(times[name])] for name in rates}


def _headers(user: User, now: datetime) -> dict[str, str]:
    """Log the user in and return the headers of their requests."""
    return {"Authorization": f"Bearer {tokens.issue(user, now=now).access}", "Content-Type": "application/json"}


def _reader(port: int, path: str, headers: dict[str, str], subscription: str) -> Send:
    """Return a client that reads the same again and again on one connection."""
    server, filled = http_load.connect(port), path.format(subscription=subscription)
    return lambda: http_load.ask(server, "GET", filled, headers)


def _writer(port: int, path: str, customers: list[dict[str, str]], numbers: Iterator[int]) -> Send:
    """Return a client that writes for one customer after the other. The second round buys a quantity of two, and so on.

    So each request starts a payment; one for the same purpose would only continue the first.
    """
    server = http_load.connect(port)

    def send() -> None:
        number = next(numbers)
        headers = customers[number % len(customers)] | {"Idempotency-Key": f"bench-{number}"}
        body = {"plan": "basic", "quantity": 1 + number // len(customers)}
        http_load.ask(server, "POST", path, headers, json.dumps(body).encode(), status=201)

    return send
