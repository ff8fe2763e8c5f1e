"""Payments, what happens to them afterwards, and what gateways report about them."""

from payments.models.dispute import Dispute
from payments.models.method import PaymentMethod
from payments.models.payment import Payment
from payments.models.refund import Refund
from payments.models.webhook_event import WebhookEvent

__all__ = ["Dispute", "Payment", "PaymentMethod", "Refund", "WebhookEvent"]
