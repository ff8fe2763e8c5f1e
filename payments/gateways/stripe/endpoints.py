"""How our webhook endpoint is set up at Stripe, for `manage.py doctor`."""

from collections.abc import Iterable

import stripe
from stripe.params import WebhookEndpointListParams

from payments.gateways.stripe.client import API_VERSION, client, every, translating

# The events to subscribe to. docs/gateways.md has the same list.
EVENTS = frozenset(
    {
        "checkout.session.completed", "checkout.session.expired", "checkout.session.async_payment_succeeded",
        "checkout.session.async_payment_failed", "payment_intent.succeeded", "payment_intent.payment_failed",
        "payment_intent.canceled", "refund.created", "refund.updated", "refund.failed", "charge.dispute.created",
        "charge.dispute.updated", "charge.dispute.closed", "charge.dispute.funds_withdrawn",
        "charge.dispute.funds_reinstated", "payment_method.detached", "payment_method.updated",
        "payment_method.automatically_updated", "payout.paid", "payout.failed",
    }
)  # fmt: skip


def problems(url: str) -> list[str]:
    """Ask Stripe for the endpoint with this address, and return what is wrong with it. Raises GatewayError."""
    with translating():
        found = list(every(lambda: client().v1.webhook_endpoints.list, WebhookEndpointListParams()))
    return judged(found, url)


def judged(endpoints: Iterable[stripe.WebhookEndpoint], url: str) -> list[str]:
    """Return what is wrong with the endpoint of this address among all of the account."""
    ours = [each for each in endpoints if each.url.rstrip("/") == url.rstrip("/")]
    if not ours:
        return [f"Stripe has no webhook endpoint {url}"]
    enabled = [each for each in ours if each.status == "enabled"]
    if not enabled:
        return [f"the webhook endpoint {url} is disabled at Stripe"]
    subscribed = {event for each in enabled for event in each.enabled_events}
    missing = sorted(EVENTS - subscribed) if "*" not in subscribed else []
    wrong = [f"the webhook endpoint is not subscribed to {', '.join(missing)}"] if missing else []
    versions = {each.api_version for each in enabled} - {API_VERSION, None}
    return wrong + [f"the webhook endpoint has the API version {each} instead of {API_VERSION}" for each in versions]
