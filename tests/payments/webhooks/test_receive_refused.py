"""Webhooks that are not from the gateway, too old, or of somebody else: nothing is stored, and no payment changes."""

import json
from base64 import b64encode
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from structlog.testing import capture_logs

from accounts.models import User
from billing_site.local.fakes.stripe.api import signature
from ledger.models import Transaction
from payments import checkout
from payments.gateways.base import Subject
from payments.models import Payment, WebhookEvent
from payments.webhooks import process
from tests.payments.gateways.visitors import visitor as visitors
from tests.payments.gateways.visitors.visitor import Visitor, Webhook
from tests.payments.rows import times_credited

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


class TestExistingPayment:
    """A payment that the customer has paid at the gateway, of which only a good webhook may tell us."""

    @pytest.fixture
    def payment(self, alice: User, name: str, visitor: Visitor, settings: Any) -> Payment:
        settings.PAYMENT_GATEWAYS = [name]
        payment = checkout.start(alice, now=timezone.now(), amount=500_00, currency="RUB")
        visitor.pay(str(payment.gateway_id))
        return payment

    @pytest.fixture
    def good(self, payment: Payment, visitor: Visitor) -> Webhook:
        return visitor.webhook(Subject.PAYMENT, str(payment.gateway_id), at=timezone.now())

    @pytest.mark.parametrize("name", [*SIGNING, "yookassa"], indirect=True)
    def test_a_good_webhook_confirms_it(self, client: Client, name: str, good: Webhook, payment: Payment) -> None:
        assert send(client, name, good) == (200, 1)
        process.sweep(now=timezone.now())
        payment.refresh_from_db()
        assert (payment.status, times_credited(payment)) == ("confirmed", 1)

    @pytest.mark.parametrize("name", SIGNING, indirect=True)
    @pytest.mark.parametrize("forgery", ["unsigned", "changed", "other_secret", "stale", "early"])
    def test_a_forged_or_stale_webhook_leaves_it_as_it_is(
        self, client: Client, name: str, visitor: Any, good: Webhook, payment: Payment, settings: Any, forgery: str
    ) -> None:
        gateway_id, now = str(payment.gateway_id), timezone.now()
        match forgery:
            case "unsigned":
                sent = good._replace(headers={})
            case "changed":
                sent = good._replace(body=good.body.replace(b"{", b'{"note": "canary",', 1))
            case "other_secret":
                sent, secret = good, "whsec_" + b64encode(b"o" * 32).decode()
                settings.STRIPE_WEBHOOK_SECRET = settings.SANDBOX_WEBHOOK_SECRET = secret
            case "stale" | "early":
                age = timedelta(seconds=310 if forgery == "stale" else -310)
                sent = visitor.webhook(Subject.PAYMENT, gateway_id, at=now - age)
        assert_unchanged(client, name, sent, payment, expected=400)

    @pytest.mark.parametrize("name", ["yookassa"], indirect=True)
    def test_a_webhook_from_another_address_leaves_it_as_it_is(
        self, client: Client, name: str, good: Webhook, payment: Payment
    ) -> None:
        assert_unchanged(client, name, good._replace(address="203.0.113.99"), payment, expected=400)

    @pytest.mark.parametrize("name", ["stripe"], indirect=True)
    @pytest.mark.parametrize("change", [{"livemode": True}, {"account": "acct_other"}], ids=["live", "other account"])
    def test_a_webhook_of_the_other_mode_or_account_leaves_it_as_it_is(
        self, client: Client, name: str, visitor: Any, good: Webhook, payment: Payment, change: dict[str, Any]
    ) -> None:
        body = json.dumps(json.loads(good.body) | change | {"note": "canary"}).encode()
        signed = {"stripe-signature": signature(body, visitor.fake.secret, at=int(timezone.now().timestamp()))}
        assert_unchanged(client, name, good._replace(body=body, headers=signed), payment, expected=200)

    @pytest.mark.parametrize("name", [*SIGNING, "yookassa"], indirect=True)
    def test_a_webhook_that_claims_what_is_not_so_leaves_another_payment_as_it_is(
        self, client: Client, name: str, visitor: Visitor, payment: Payment, mallory: User
    ) -> None:
        """Even a signed one only makes us ask. YooKassa's are not signed, so its own networks could claim anything."""
        unpaid = checkout.start(mallory, now=timezone.now(), amount=500_00, currency="RUB")
        claim = visitor.webhook(Subject.PAYMENT, str(unpaid.gateway_id), at=timezone.now())
        assert send(client, name, claim) == (200, 1)
        process.sweep(now=timezone.now())
        for row in (payment, unpaid):
            row.refresh_from_db()
            assert (row.status, times_credited(row)) == ("pending", 0)

    @pytest.mark.parametrize("name", [*SIGNING, "yookassa"], indirect=True)
    def test_a_webhook_about_something_unknown_leaves_it_as_it_is(
        self, client: Client, name: str, visitor: Visitor, payment: Payment
    ) -> None:
        assert send(client, name, visitor.webhook(Subject.PAYMENT, "object_1", at=timezone.now())) == (200, 1)
        process.sweep(now=timezone.now())
        assert WebhookEvent.objects.get().status == "parked"
        payment.refresh_from_db()
        assert (payment.status, times_credited(payment)) == ("pending", 0)


def assert_unchanged(client: Client, name: str, sent: Webhook, payment: Payment, *, expected: int) -> None:
    """Send a webhook; nothing of it is stored or logged, and the payment's row stays as it was."""
    before = Payment.objects.values().get(pk=payment.pk)
    with capture_logs() as logs:
        assert send(client, name, sent) == (expected, 0)
        process.sweep(now=timezone.now() + timedelta(hours=1))
    assert Payment.objects.values().get(pk=payment.pk) == before
    assert not Transaction.objects.exists()
    assert str(payment.gateway_id) not in str(logs)
    assert "canary" not in str(logs)
