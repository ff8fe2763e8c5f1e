"""How the webhook endpoint is set up at Stripe."""

import re
from pathlib import Path
from typing import Any

import pytest
import stripe
from django.conf import settings

from payments.gateways.errors import GatewayError
from payments.gateways.stripe import endpoints
from payments.gateways.stripe.client import API_VERSION

URL = "https://billing.example.com/webhooks/stripe/"


def judged(**changes: Any) -> list[str]:
    """Return what is wrong with a good endpoint that is changed like this."""
    good = {"url": URL, "status": "enabled", "enabled_events": sorted(endpoints.EVENTS), "api_version": API_VERSION}
    other = {**good, "url": "https://other.example.com/"}
    made = [stripe.WebhookEndpoint.construct_from({**each, "id": "we_1"}, "k") for each in (other, good | changes)]
    return endpoints.judged(made, URL)


@pytest.mark.parametrize("changes", [{}, {"enabled_events": ["*"]}, {"url": URL[:-1]}, {"api_version": None}])
def test_a_right_endpoint_has_no_problems(changes):
    assert judged(**changes) == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"url": "https://elsewhere.example.com/"}, f"Stripe has no webhook endpoint {URL}"),
        ({"status": "disabled"}, f"the webhook endpoint {URL} is disabled at Stripe"),
        (
            {"enabled_events": sorted(endpoints.EVENTS - {"payout.paid", "refund.failed"})},
            "the webhook endpoint is not subscribed to payout.paid, refund.failed",
        ),
        (
            {"api_version": "2020-01-01"},
            f"the webhook endpoint has the API version 2020-01-01 instead of {API_VERSION}",
        ),
    ],
)
def test_each_mistake_is_named(changes, problem):
    assert judged(**changes) == [problem]


def test_the_account_is_asked_over_http(fake, gateway):
    assert gateway.webhook_problems(URL) == [f"Stripe has no webhook endpoint {URL}"]
    fake.account.add_endpoint(URL)
    assert gateway.webhook_problems(URL) == []


def test_a_refused_key_is_an_error_of_the_gateway(fake, gateway, settings):
    settings.STRIPE_SECRET_KEY = "sk_test_another0123456789"
    with pytest.raises(GatewayError):
        gateway.webhook_problems(URL)


def test_the_document_lists_the_same_events():
    text = (Path(settings.BASE_DIR) / "docs/gateways.md").read_text()
    table = text.split("| about | events |")[1].split("\n\n")[0]
    assert set(re.findall(r"`([\w.]+)`", table)) == endpoints.EVENTS
