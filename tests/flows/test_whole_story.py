"""A new customer is charged by the second, through HTTP, a broker, a Celery worker and PostgreSQL."""

import json
from datetime import datetime, timedelta
from decimal import Decimal
from math import ceil
from typing import Any

import pytest
import requests

from payments.models import WebhookEvent
from tests.flows.site import Site, Visitor, wait_for
from tests.subscriptions.bank import hourly

pytestmark = [pytest.mark.broker, pytest.mark.timeout(400)]
TWO_HOURS = timedelta(hours=2)
PASSWORD = "long-enough-and-not-common"


def pay(url: str) -> str:
    """Press `Pay` on the gateway's page as a browser does; return the URL it redirects to, without following it."""
    browser = requests.Session()
    page = browser.get(url, timeout=30)
    assert page.status_code == 200
    form = {"outcome": "succeeds", "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
    sent = browser.post(url, data=form, headers={"Referer": url}, timeout=30, allow_redirects=False)
    assert sent.status_code == 303
    return sent.headers["Location"]


def seconds_between(started: str, ended: str) -> Decimal:
    return (
        Decimal((datetime.fromisoformat(ended) - datetime.fromisoformat(started)) / timedelta(microseconds=1)) / 10**6
    )


def log_of(visitor: Visitor) -> list[dict[str, Any]]:
    """Return the visitor's transactions, the newest first."""
    rows: list[dict[str, Any]] = visitor.call("GET", "transactions/?limit=100")["results"]
    return rows


def register_and_pay(site: Site, visitor: Visitor) -> Any:
    """Register, log in and pay for thirty hours on the gateway's page; return the payment as it was before."""
    visitor.call("POST", "auth/register", expect=201, username="olga", email="olga@example.com", password=PASSWORD)
    visitor.log_in("olga", PASSWORD)
    assert visitor.call("GET", "payments/") == {
        "results": [], "next": None, "previous": None, "detail": "No payments found"
    }  # fmt: skip
    payment = visitor.call(
        "POST", "payments/create-checkout-session", expect=201, plan="hourly", currency="RUB", periods=30
    )
    assert (payment["status"], payment["amount"]) == ("pending", {"value": "108.00", "currency": "RUB"})
    assert visitor.call("GET", f"subscriptions/{payment['subscription']}/access")["active"] is False
    assert payment["id"] in pay(payment["confirmation_url"])
    return payment


def wait_for_confirmation(visitor: Visitor, payment: Any) -> Any:
    """Wait until the payment is confirmed; return the subscription.

    The customer does not return to our site. Only the worker sends the sandbox's webhook and processes it.
    """
    wait_for(lambda: visitor.call("GET", f"payments/{payment['id']}")["status"] == "confirmed", "the webhook")
    event = WebhookEvent.objects.get()
    assert (event.status, event.outcome) == ("processed", f"{payment['id']}: confirmed.")
    bought = visitor.call("GET", f"subscriptions/{payment['subscription']}")
    assert (bought["status"], bought["access"], bought["plan"]) == ("active", True, "hourly")
    [first] = log_of(visitor)
    assert (first["reason"], first["amount"], first["balance"]) == ("top_up", "108.00", "108.00")
    return bought


def read_wallet_after_two_hours(site: Site, visitor: Visitor, bought: Any) -> None:
    """Check that the use of two hours is known before any worker has charged it."""
    site.start_web(ahead=TWO_HOURS)
    assert visitor.call("GET", "auth/me", expect=401)["status"] == 401
    visitor.log_in("olga", PASSWORD)
    [wallet] = visitor.call("GET", "wallet/")["results"]
    assert wallet["balance"] == "108.00"
    assert Decimal("100.70") <= Decimal(wallet["available"]) <= Decimal("100.80")
    assert visitor.call("GET", f"subscriptions/{bought['id']}/access")["active"] is True


def check_charges(visitor: Visitor, bought: Any) -> None:
    """Check the charges: 360 kopecks an hour are one kopeck in ten seconds, paid when the ten seconds begin."""
    *charges, top_up = log_of(visitor)
    used = seconds_between(bought["started_at"], charges[0]["effective_at"])
    assert 7200 <= used < 7300
    cost = Decimal(ceil(used / 10)) / 100
    assert {row["reason"] for row in charges} == {"charge"}
    assert sum(Decimal(row["amount"]) for row in charges) == -cost
    assert Decimal(charges[0]["balance"]) == Decimal("108.00") - cost
    assert (top_up["reason"], top_up["balance"]) == ("top_up", "108.00")
    [wallet] = visitor.call("GET", "wallet/")["results"]
    assert wallet["balance"] == charges[0]["balance"]


def test_a_customer_who_uses_two_hours_is_charged_exactly_two_hours(site: Site):
    hourly()
    visitor = Visitor(site)
    site.start_worker()
    site.start_web()
    payment = register_and_pay(site, visitor)
    bought = wait_for_confirmation(visitor, payment)

    # Two hours pass on every machine.
    site.stop("web", "worker")
    read_wallet_after_two_hours(site, visitor, bought)
    site.start_worker(ahead=TWO_HOURS)
    wait_for(lambda: len(log_of(visitor)) > 1, "the billing run")
    site.stop("worker")
    again = site.manage("bill_due", "--json", ahead=TWO_HOURS)
    assert json.loads(again.stdout) == {"books": 0, "charges": 0, "parked": 0, "held_back": 0}
    check_charges(visitor, bought)

    check = site.manage("check_ledger", "--json")
    assert check.returncode == 0, check.stdout + check.stderr
