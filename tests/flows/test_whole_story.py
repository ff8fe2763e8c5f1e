"""From nobody to a customer who is charged by the hour, through HTTP, a broker, a Celery worker and PostgreSQL."""

import json
from datetime import datetime, timedelta
from decimal import Decimal
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
    """Press `Pay` on the gateway's page as a browser does; return where it sends the browser, which does not go."""
    browser = requests.Session()
    page = browser.get(url, timeout=30)
    assert page.status_code == 200
    form = {"outcome": "succeeds", "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
    sent = browser.post(url, data=form, headers={"Referer": url}, timeout=30, allow_redirects=False)
    assert sent.status_code == 303
    return sent.headers["Location"]


def seconds(started: str, ended: str) -> Decimal:
    return (
        Decimal((datetime.fromisoformat(ended) - datetime.fromisoformat(started)) / timedelta(microseconds=1)) / 10**6
    )


def log_of(visitor: Visitor) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = visitor.call("GET", "transactions/?limit=100")["results"]
    return rows


def arrives_and_pays(site: Site, visitor: Visitor) -> Any:
    """Register, log in, buy ten hours at the gateway's page; return the payment, as it was when it was begun."""
    visitor.call("POST", "auth/register", expect=201, username="olga", email="olga@example.com", password=PASSWORD)
    visitor.log_in("olga", PASSWORD)
    assert visitor.call("GET", "payments/") == {
        "results": [], "next": None, "previous": None, "detail": "No payments found"
    }  # fmt: skip
    payment = visitor.call(
        "POST", "payments/create-checkout-session", expect=201, plan="hourly", currency="RUB", periods=10
    )
    assert (payment["status"], payment["amount"]) == ("pending", {"value": "36.00", "currency": "RUB"})
    assert visitor.call("GET", f"subscriptions/{payment['subscription']}/access")["active"] is False
    assert payment["id"] in pay(payment["confirmation_url"])
    return payment


def is_told_of(visitor: Visitor, payment: Any) -> Any:
    """Wait until it is confirmed; return the subscription.

    Nobody goes back from the gateway's page, and nobody asks the gateway: only the worker sends the webhook, and only
    the worker processes it.
    """
    wait_for(lambda: visitor.call("GET", f"payments/{payment['id']}")["status"] == "confirmed", "the webhook")
    event = WebhookEvent.objects.get()
    assert (event.status, event.outcome) == ("processed", f"{payment['id']} is confirmed.")
    bought = visitor.call("GET", f"subscriptions/{payment['subscription']}")
    assert (bought["status"], bought["access"], bought["plan"]) == ("active", True, "hourly")
    [first] = log_of(visitor)
    assert (first["reason"], first["amount"], first["balance"]) == ("top_up", "36.00", "36.00")
    return bought


def comes_back_in_two_hours(site: Site, visitor: Visitor, bought: Any) -> None:
    """No worker is up yet: what was used is known all the same, and not written down."""
    site.start_web(ahead=TWO_HOURS)
    assert visitor.call("GET", "auth/me", expect=401)["status"] == 401
    visitor.log_in("olga", PASSWORD)
    [wallet] = visitor.call("GET", "wallet/")["results"]
    assert wallet["balance"] == "36.00"
    assert Decimal("28.70") <= Decimal(wallet["available"]) <= Decimal("28.80")
    assert visitor.call("GET", f"subscriptions/{bought['id']}/access")["active"] is True


def is_charged_exactly(visitor: Visitor, bought: Any) -> None:
    """360 kopecks an hour are one in ten seconds; one that is begun is not charged yet."""
    *charges, top_up = log_of(visitor)
    used = seconds(bought["started_at"], charges[0]["effective_at"])
    assert 7200 <= used < 7300
    cost = Decimal(int(used / 10)) / 100
    assert {row["reason"] for row in charges} == {"charge"}
    assert sum(Decimal(row["amount"]) for row in charges) == -cost
    assert Decimal(charges[0]["balance"]) == Decimal("36.00") - cost
    assert (top_up["reason"], top_up["balance"]) == ("top_up", "36.00")
    [wallet] = visitor.call("GET", "wallet/")["results"]
    assert wallet["balance"] == charges[0]["balance"]


def test_a_visitor_registers_pays_uses_two_hours_and_is_charged_exactly_those(site: Site):
    hourly()
    visitor = Visitor(site)
    site.start_worker()
    site.start_web()
    payment = arrives_and_pays(site, visitor)
    bought = is_told_of(visitor, payment)

    # Two hours pass on every machine.
    site.stop("web", "worker")
    comes_back_in_two_hours(site, visitor, bought)
    site.start_worker(ahead=TWO_HOURS)
    wait_for(lambda: len(log_of(visitor)) > 1, "the billing run")
    site.stop("worker")
    again = site.manage("bill_due", "--json", ahead=TWO_HOURS)
    assert json.loads(again.stdout) == {"books": 0, "charges": 0, "parked": 0, "held_back": 0}
    is_charged_exactly(visitor, bought)

    check = site.manage("check_ledger", "--json")
    assert check.returncode == 0, check.stdout + check.stderr
