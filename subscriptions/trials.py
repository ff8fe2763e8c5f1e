"""Who has a free trial to come: one for each plan and customer, in whatever currency."""

from accounts.models import User
from subscriptions.models import Price, Trial


def awaits(customer: User, price: Price) -> bool:
    """Tell whether a new subscription at this price would start as a free trial."""
    return price.trial_days > 0 and not Trial.objects.filter(customer=customer, plan=price.plan_id).exists()
