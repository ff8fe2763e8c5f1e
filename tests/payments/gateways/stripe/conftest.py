"""The real gateway class against a fake Stripe over HTTP. Every call of it is checked against the SDK's own types."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from stripe._stripe_service import StripeService

from billing_site.local.fakes.stripe import params
from billing_site.local.fakes.stripe.api import FakeStripe, call_of
from payments.gateways.aftermath import RefundRequest
from payments.gateways.sessions import SessionRequest
from payments.gateways.stripe.gateway import Stripe

Make = Callable[..., SessionRequest]


@pytest.fixture
def fake(settings: Any) -> Iterator[FakeStripe]:
    """A running fake, which the settings name. It may not crash."""
    with FakeStripe() as running:
        settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRET = running.key, running.secret
        settings.STRIPE_API_BASE = running.url
        yield running
    assert running.crashes == []


@pytest.fixture
def gateway(fake: FakeStripe) -> Stripe:
    return Stripe()


@pytest.fixture
def make() -> Make:
    """Return a function that makes a request for a page of 19.99 euros, with changes."""

    def request(**changes: Any) -> SessionRequest:
        given: dict[str, Any] = {
            "idempotency_key": "pay_1", "amount": 1999, "currency": "EUR", "description": "Standard, one month",
            "return_url": "https://shop.example/pay/1/", "cancel_url": "https://shop.example/pay/1/cancel/",
            "expires_at": datetime.now(UTC) + timedelta(minutes=40), "language": "ru", "customer": "usr_1",
        }  # fmt: skip
        return SessionRequest(**(given | changes))

    return request


@pytest.fixture
def paid(fake: FakeStripe, gateway: Stripe, make: Make) -> str:
    """Return the gateway id of a payment of 19.99 euros that was paid."""
    session = gateway.create_session(make())
    fake.account.pay(session.gateway_id)
    return session.gateway_id


@pytest.fixture
def refund_request(paid: str) -> RefundRequest:
    return RefundRequest(idempotency_key="ref_1", gateway_id=paid, amount=500, currency="EUR")


@pytest.fixture(autouse=True)
def _calls_fit_the_types(monkeypatch: pytest.MonkeyPatch) -> None:
    """Check the parameters of every call strictly against the types that the SDK generates from Stripe's API."""
    original = StripeService._request

    def checked(self: StripeService, method: str, url: str, params_: Any = None, **more: Any) -> Any:
        given = more.pop("params", params_) or {}
        call, _ = call_of(method.upper(), url)
        params.adapter(params.TYPES[call]).validate_python(given, strict=True)
        return original(self, method, url, params=given, **more)

    monkeypatch.setattr(StripeService, "_request", checked)
