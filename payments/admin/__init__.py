from payments.admin.decisions import DecisionsAdmin
from payments.admin.prices import TakenPriceAdmin
from payments.admin.records import DisputeAdmin, PaymentMethodAdmin, RefundAdmin
from payments.admin.webhook_events import WebhookEventAdmin

__all__ = [
    "DecisionsAdmin", "DisputeAdmin", "PaymentMethodAdmin", "RefundAdmin", "TakenPriceAdmin", "WebhookEventAdmin",
]  # fmt: skip
