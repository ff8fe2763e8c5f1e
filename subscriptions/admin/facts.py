"""What an act of staff may change for a customer: balance, debt and subscriptions in one currency."""

from datetime import datetime

from django.utils.translation import gettext

from accounts.models import User
from core import dates
from core.rehearsal import Fact, Facts
from ledger.display import money
from ledger.models import Account
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


def of_all_books(customer: User, *, now: datetime) -> Facts:
    """Return the same in each currency, and how long what is in use can be used."""
    facts: Facts = {}
    wallets = Account.objects.filter(owner=customer, kind=Account.Kind.WALLET).order_by("currency")
    for currency in wallets.values_list("currency", flat=True):
        view = overview.peek(customer, currency, now=now)
        balance, debt = money(Money(view.available, currency)), money(Money(view.debt, currency))
        facts[f"balance {currency}"] = Fact(gettext("Balance in %s") % currency, balance)
        facts[f"debt {currency}"] = Fact(gettext("Debt in %s") % currency, debt, quiet=True)
        rows = Subscription.objects.filter(customer=customer, wallet__currency=currency, ended_at=None)
        for row in rows.select_related("price__plan").order_by("id"):
            _, _, status = STATUSES[view.status_of(row)]
            until = view.access_to(row).until
            words = {"status": status, "moment": dates.moment(until) if until else ""}
            text = gettext("%(status)s, until %(moment)s") % words if until else str(status)
            facts[row.public_id] = Fact(f"{row.price.plan.title} ({row.public_id})", text)
    return facts
