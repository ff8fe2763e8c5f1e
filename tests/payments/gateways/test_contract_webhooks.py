"""The part of the contract about webhooks: each names its object, and none of anybody else is taken (test_contract)."""

from datetime import timedelta

import pytest
from django.utils import timezone

from payments.gateways.base import Gateway
from payments.gateways.errors import BadWebhook
from tests.payments.gateways.visitors.visitor import Visitor, Webhook

pytestmark = pytest.mark.django_db


def accepted(gateway: Gateway, webhook: Webhook) -> bool:
    """Return whether the gateway takes a webhook for its own."""
    try:
        gateway.parse_webhook(webhook.body, webhook.headers, address=webhook.address)
    except BadWebhook:
        return False
    return True


def test_a_webhook_names_what_it_is_about(gateway: Gateway, visitor: Visitor) -> None:
    for subject in visitor.tells:
        body, headers, address = visitor.webhook(subject, "object_1", at=timezone.now())
        notification = gateway.parse_webhook(body, headers, address=address)
        assert (notification.subject, notification.gateway_id) == (subject, "object_1")
        assert notification.event_id
        assert notification.type
        # The same webhook again is the same event.
        assert gateway.parse_webhook(body, headers, address=address) == notification


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer x"}])
@pytest.mark.parametrize("body", [b"", b"{}", b"null", b"\xff\x00"])
def test_a_webhook_of_anybody_is_refused(gateway: Gateway, headers: dict[str, str], body: bytes) -> None:
    assert not accepted(gateway, Webhook(body, headers, "203.0.113.99"))


def test_a_forged_webhook_is_refused(gateway: Gateway, visitor: Visitor) -> None:
    for subject in visitor.tells:
        good = visitor.webhook(subject, "object_1", at=timezone.now())
        assert accepted(gateway, good)
        if not gateway.can.signs_webhooks:
            assert not accepted(gateway, good._replace(address="203.0.113.99"))
            continue
        bad = [
            good._replace(headers={}),
            good._replace(body=good.body + b" "),
            good._replace(body=good.body.replace(b"object_1", b"object_2")),
            # A signature of another webhook.
            good._replace(headers=visitor.webhook(subject, "object_2", at=timezone.now()).headers),
        ]
        assert [accepted(gateway, webhook) for webhook in bad] == [False] * len(bad)


@pytest.mark.parametrize("age", [310, -310])
def test_a_webhook_from_the_past_or_the_future_is_refused(gateway: Gateway, visitor: Visitor, age: int) -> None:
    if not gateway.can.signs_webhooks:
        return
    for subject in visitor.tells:
        webhook = visitor.webhook(subject, "object_1", at=timezone.now() - timedelta(seconds=age))
        assert not accepted(gateway, webhook)
