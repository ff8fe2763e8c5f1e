"""Requests to gateways as the payments domain makes them, for tests."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.ids import new_id
from payments.gateways.aftermath import RefundRequest
from payments.gateways.charges import ChargeRequest
from payments.gateways.errors import GatewayError
from payments.gateways.methods import Method, SetupRequest
from payments.gateways.sessions import SessionRequest


def session_request(**changes: Any) -> SessionRequest:
    """Return a request for a page, of 1342.00 roubles by default."""
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


def setup_request(**changes: Any) -> SetupRequest:
    """Return a request for a page that saves a card without a payment."""
    defaults: dict[str, Any] = {
        "idempotency_key": new_id("set"),
        "return_url": "https://shop.example/account/payment-methods/added/1/",
        "expires_at": datetime.now(UTC) + timedelta(hours=1),
        "language": "ru",
        "currency": "RUB",
        "customer": "cus_1",
        "email": "alice@example.com",
    }
    return SetupRequest(**defaults | changes)


def refund_request(gateway_id: str, **changes: Any) -> RefundRequest:
    """Return a request to refund 342.00 of a payment."""
    defaults: dict[str, Any] = {
        "idempotency_key": new_id("re"),
        "gateway_id": gateway_id,
        "amount": 342_00,
        "currency": "RUB",
        "description": "Unused time",
    }
    return RefundRequest(**defaults | changes)


def refund_of(gateway_id: str, asked: SessionRequest, **changes: Any) -> RefundRequest:
    """Return a request to refund the whole payment of that request for a page."""
    whole = {"idempotency_key": "ref_1", "amount": asked.amount, "currency": asked.currency}
    return refund_request(gateway_id, **whole | changes)


def charge_of(method: Method, asked: SessionRequest, **changes: Any) -> ChargeRequest:
    """Return a request to charge a saved method the amount of that request for a page."""
    defaults: dict[str, Any] = {
        "idempotency_key": new_id("pay"),
        "method": method.gateway_id,
        "owner": method.owner,
        "amount": asked.amount,
        "currency": asked.currency,
        "description": "Automatic payment",
        "return_url": "https://shop.example/pay/2/",
        "customer": "cus_1",
        "email": "alice@example.com",
    }
    return ChargeRequest(**defaults | changes)


def refused(call: Callable[..., Any], *arguments: Any) -> bool:
    """Call, and return whether the gateway refused for good. Fails if it did what it was asked."""
    with pytest.raises(GatewayError) as caught:
        call(*arguments)
    return caught.value.permanent
