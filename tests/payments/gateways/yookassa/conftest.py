"""Fixtures of the YooKassa tests: the real client talks over HTTP to a fake of YooKassa."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from billing_site.local.fakes.yookassa import FakeYooKassa
from core.ids import new_id
from payments.gateways.base import RefundRequest, SessionRequest, Snapshot
from payments.gateways.yookassa.gateway import YooKassa


@pytest.fixture
def fake(settings: Any) -> Iterator[FakeYooKassa]:
    with FakeYooKassa(currencies=("RUB", "JPY", "KWD")) as fake:
        settings.YOOKASSA_API_BASE = fake.url
        settings.YOOKASSA_SHOP_ID, settings.YOOKASSA_SECRET_KEY = fake.shop.shop_id, fake.secret_key
        settings.YOOKASSA_CURRENCIES = ["RUB", "JPY", "KWD"]
        yield fake
        assert fake.crashes == []


@pytest.fixture
def gateway(fake: FakeYooKassa) -> YooKassa:
    return YooKassa()


@pytest.fixture
def wanted() -> Callable[..., SessionRequest]:
    """Return a function that makes a request for a page, of 1342.00 roubles by default."""

    def wanted(**changes: Any) -> SessionRequest:
        defaults: dict[str, Any] = {
            "idempotency_key": new_id("pay"),
            "amount": 1342_00,
            "currency": "RUB",
            "description": "Standard, a month",
            "return_url": "https://shop.example/pay/1/",
            "cancel_url": "https://shop.example/pay/1/",
            "expires_at": datetime.now(UTC) + timedelta(minutes=30),
            "language": "ru",
            "customer": "cus_1",
            "email": "alice@example.com",
        }
        return SessionRequest(**defaults | changes)

    return wanted


@pytest.fixture
def paid(gateway: YooKassa, fake: FakeYooKassa, wanted: Callable[..., SessionRequest]) -> Snapshot:
    """A payment of 1342.00 roubles that succeeded."""
    session = gateway.create_session(wanted())
    fake.pay(session.gateway_id)
    return gateway.fetch(session.gateway_id)


@pytest.fixture
def refund_of(paid: Snapshot) -> Callable[..., RefundRequest]:
    """Return a function that makes a request to refund 342.00 of the payment."""

    def refund_of(**changes: Any) -> RefundRequest:
        defaults: dict[str, Any] = {
            "idempotency_key": new_id("re"),
            "gateway_id": paid.gateway_id,
            "amount": 342_00,
            "currency": "RUB",
            "description": "Unused time",
        }
        return RefundRequest(**defaults | changes)

    return refund_of
