"""Requests for a payment page and for a refund, as our code makes them."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.utils import timezone

from payments.gateways.base import RefundRequest, SessionRequest


def session_request(**more: Any) -> SessionRequest:
    """Return a request for 1,342.00 roubles for half an hour, with changes."""
    terms: dict[str, Any] = {
        "idempotency_key": "pay_contract_1",
        "amount": 1342_00,
        "currency": "RUB",
        "description": "Contract",
        "return_url": "https://shop.example/pay/1/",
        "cancel_url": "https://shop.example/pay/1/",
        "expires_at": timezone.now() + timedelta(minutes=30),
        "language": "en",
        "customer": "usr_contract",
        "email": "alice@example.com",
    }
    return SessionRequest(**terms | more)


def refund_of(gateway_id: str, asked: SessionRequest, **more: Any) -> RefundRequest:
    """Return a request to refund the whole payment, with changes."""
    whole = RefundRequest(idempotency_key="ref_1", gateway_id=gateway_id, amount=asked.amount, currency=asked.currency)
    return replace(whole, **more)
