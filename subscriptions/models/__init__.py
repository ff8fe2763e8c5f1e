from subscriptions.models.billing_clock import BillingClock, Trial
from subscriptions.models.charge import Charge
from subscriptions.models.daily_figure import DailyFigure
from subscriptions.models.plan import Plan, Price
from subscriptions.models.quote import Quote
from subscriptions.models.subscription import Subscription

__all__ = ["BillingClock", "Charge", "DailyFigure", "Plan", "Price", "Quote", "Subscription", "Trial"]
