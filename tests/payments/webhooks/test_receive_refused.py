"""Webhooks that are not from the gateway, too old, or of somebody else: no gateway has one stored or changes by it."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from billing_site.local.fakes.stripe.api import signature
from payments.gateways.base import Subject
from payments.models import WebhookEvent
from tests.payments.gateways.visitors import visitor as visitors
from tests.payments.gateways.visitors.visitor import Visitor, Webhook

pytestmark = pytest.mark.django_db

SIGNING = ("sandbox", "stripe")


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def visitor(name: str, settings: Any) -> Iterator[Visitor]:
    with visitors.visit(name, settings) as visitor:
        yield visitor


def send(client: Client, name: str, webhook: Webhook) -> tuple[int, int]:
    """Send a webhook; return the status of the answer and how many events are stored."""
    answer = client.post(
        f"/webhooks/{name}/",
        webhook.body,
        content_type="application/json",
        headers=dict(webhook.headers),
        REMOTE_ADDR=webhook.address,
    )
    return answer.status_code, WebhookEvent.objects.count()


@pytest.mark.parametrize("name", [*SIGNING, "yookassa"], indirect=True)
def test_a_good_one_is_stored(client: Client, name: str, visitor: Visitor) -> None:
    assert send(client, name, visitor.webhook(Subject.PAYMENT, "object_1", at=timezone.now())) == (200, 1)


@pytest.mark.parametrize("name", SIGNING, indirect=True)
def test_a_forged_one_is_not_stored(client: Client, name: str, visitor: Visitor) -> None:
    good = visitor.webhook(Subject.PAYMENT, "object_1", at=timezone.now())
    assert send(client, name, good._replace(headers={})) == (400, 0)
    assert send(client, name, good._replace(body=good.body.replace(b"object_1", b"object_2"))) == (400, 0)


@pytest.mark.parametrize("age", [310, -310])
@pytest.mark.parametrize("name", SIGNING, indirect=True)
def test_a_stale_one_is_not_stored(client: Client, name: str, visitor: Visitor, age: int) -> None:
    sent_at = timezone.now() - timedelta(seconds=age)
    assert send(client, name, visitor.webhook(Subject.PAYMENT, "object_1", at=sent_at)) == (400, 0)


@pytest.mark.parametrize("name", ["yookassa"], indirect=True)
def test_one_from_another_address_is_not_stored(client: Client, name: str, visitor: Visitor) -> None:
    good = visitor.webhook(Subject.PAYMENT, "object_1", at=timezone.now())
    assert send(client, name, good._replace(address="203.0.113.99")) == (400, 0)


@pytest.mark.parametrize("name", ["manual"], indirect=True)
def test_a_gateway_without_webhooks_stores_none(client: Client, name: str, visitor: Visitor) -> None:
    assert send(client, name, Webhook(b'{"id": "object_1"}', {}, "127.0.0.1")) == (400, 0)


@pytest.mark.parametrize("change", [{"livemode": True}, {"account": "acct_other"}], ids=["live", "other account"])
@pytest.mark.parametrize("name", ["stripe"], indirect=True)
def test_one_of_the_other_mode_or_account_is_answered_and_not_stored(
    client: Client, name: str, visitor: Any, change: dict[str, Any]
) -> None:
    now = timezone.now()
    good = visitor.webhook(Subject.PAYMENT, "object_1", at=now)
    body = json.dumps(json.loads(good.body) | change).encode()
    signed = {"stripe-signature": signature(body, visitor.fake.secret, at=int(now.timestamp()))}
    # Rightly signed: Stripe would repeat it for days after an error.
    assert send(client, name, good._replace(body=body, headers=signed)) == (200, 0)
