from payments.admin.adjustment_decisions import AdjustmentAdmin
from payments.admin.collections import AutoTopUpAdmin, CollectionAdmin, CollectionPlanAdmin, ConsentAdmin
from payments.admin.decisions import DecisionsAdmin
from payments.admin.prices import TakenPriceAdmin
from payments.admin.records import DisputeAdmin, PaymentMethodAdmin, RefundAdmin
from payments.admin.reports import DiscrepancyAdmin, GatewayReportAdmin, PayoutAdmin
from payments.admin.transfers import ReceiptActs, RefundActs, TransferActs
from payments.admin.webhook_events import WebhookEventAdmin

__all__ = [
    "AdjustmentAdmin", "AutoTopUpAdmin", "CollectionAdmin", "CollectionPlanAdmin", "ConsentAdmin", "DecisionsAdmin",
    "DiscrepancyAdmin", "DisputeAdmin", "GatewayReportAdmin", "PaymentMethodAdmin", "PayoutAdmin", "ReceiptActs",
    "RefundActs", "RefundAdmin", "TakenPriceAdmin", "TransferActs", "WebhookEventAdmin",
]  # fmt: skip
