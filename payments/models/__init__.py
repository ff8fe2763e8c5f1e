"""Payments, what happens to them afterwards, and what gateways report about them."""

from payments.models.adjustment import Adjustment
from payments.models.auto_top_up import AutoTopUp
from payments.models.checkout_consent import CheckoutConsent
from payments.models.collection import Collection, CollectionDecision, CollectionPlan
from payments.models.consent import Consent
from payments.models.dispute import Dispute
from payments.models.method import PaymentMethod
from payments.models.method_setup import MethodSetup
from payments.models.paid_change import PaidChange
from payments.models.payment import Payment
from payments.models.payout import Payout
from payments.models.refund import Refund
from payments.models.report import Discrepancy, GatewayReport
from payments.models.webhook_event import WebhookEvent

__all__ = [
    "Adjustment",
    "AutoTopUp",
    "CheckoutConsent",
    "Collection",
    "CollectionDecision",
    "CollectionPlan",
    "Consent",
    "Discrepancy",
    "Dispute",
    "GatewayReport",
    "MethodSetup",
    "PaidChange",
    "Payment",
    "PaymentMethod",
    "Payout",
    "Refund",
    "WebhookEvent",
]
