"""Fixtures of the YooKassa tests: the real client talks over HTTP to a fake of YooKassa."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from billing_site.local.fakes.yookassa.api import FakeYooKassa
from payments.gateways.aftermath import RefundRequest
from payments.gateways.sessions import SessionRequest, Snapshot
from payments.gateways.yookassa.gateway import YooKassa
from tests.payments.gateways.requests import refund_request, session_request


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
    return session_request


@pytest.fixture
def paid(gateway: YooKassa, fake: FakeYooKassa) -> Snapshot:
    """A payment of 1342.00 roubles that succeeded."""
    session = gateway.create_session(session_request())
    fake.pay(session.gateway_id)
    return gateway.fetch(session.gateway_id)


@pytest.fixture
def refund_of(paid: Snapshot) -> Callable[..., RefundRequest]:
    """Return a function that makes a request to refund 342.00 of the payment."""

    def refund_of(**changes: Any) -> RefundRequest:
        return refund_request(**{"gateway_id": paid.gateway_id} | changes)

    return refund_of
