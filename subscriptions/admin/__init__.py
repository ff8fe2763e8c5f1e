from subscriptions.admin.books import BookAdmin
from subscriptions.admin.plans import PlanAdmin
from subscriptions.admin.prices import PriceAdmin
from subscriptions.admin.subscriptions import SubscriptionAdmin
from subscriptions.admin.transactions import ExplainedTransactionAdmin

__all__ = ["BookAdmin", "ExplainedTransactionAdmin", "PlanAdmin", "PriceAdmin", "SubscriptionAdmin"]
