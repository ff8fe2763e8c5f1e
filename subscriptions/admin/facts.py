"""What an act of staff may change for a customer: balance, debt and subscriptions in one currency."""

from datetime import datetime

from django.utils.translation import gettext

from accounts.models import User
from core.rehearsal import Fact, Facts
from ledger.display import money
from ledger.money import Money
from subscriptions import overview
from subscriptions.labels import STATUSES
from subscriptions.models import Subscription


def of_customer(customer: User, currency: str, *, now: datetime) -> Facts:
    """Return a customer's balance, debt and subscriptions in a currency. Subscriptions show only if they change."""
    view = overview.peek(customer, currency, now=now)
    facts = {
        "balance": Fact(gettext("Balance of the customer"), money(Money(view.available, currency))),
        "debt": Fact(gettext("Debt"), money(Money(view.debt, currency)), quiet=True),
    }
    rows = Subscription.objects.filter(customer=customer, wallet__currency=currency, ended_at=None)
    for row in rows.select_related("price__plan").order_by("id"):
        _, _, status = STATUSES[view.status_of(row)]
        facts[row.public_id] = Fact(row.price.plan.title, str(status), quiet=True)
    return facts
