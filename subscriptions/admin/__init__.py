from subscriptions.admin.books import BookAdmin
from subscriptions.admin.plans import PlanAdmin, PriceAdmin
from subscriptions.admin.subscriptions import SubscriptionAdmin

__all__ = ["BookAdmin", "PlanAdmin", "PriceAdmin", "SubscriptionAdmin"]
