"""What an act of staff would change. The act is really carried out, looked at, and rolled back: nothing of it stays."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from django.db import transaction
from django.utils.translation import gettext

from accounts.models import User
from ledger.display import money
from ledger.money import Money
from payments.models import Payment
from subscriptions import overview
from subscriptions.labels import STATUSES
from subscriptions.models import Subscription

# Shown where one side has nothing.
NOTHING = "–"


class Fact(NamedTuple):
    """A line of what is so now. One that is `quiet` is shown only if it changes."""

    name: str
    text: str
    quiet: bool = False


# Facts by a key that is the same before and after.
Facts = dict[str, Fact]


class Change(NamedTuple):
    """A line of a table before -> after."""

    name: str
    before: str
    after: str

    @property
    def is_change(self) -> bool:
        """Whether the two sides differ."""
        return self.before != self.after


def rehearse(act: Callable[[], object], facts: Callable[[], Facts]) -> list[Change]:
    """Return the facts before and after the act. What the act raises passes. No act may call a remote gateway."""
    with transaction.atomic():
        before = facts()
        act()
        after = facts()
        transaction.set_rollback(True)
    changes = []
    for key, fact in {**before, **after}.items():
        old, new = before.get(key), after.get(key)
        change = Change(fact.name, old.text if old else NOTHING, new.text if new else NOTHING)
        if change.is_change or not fact.quiet:
            changes.append(change)
    return changes


def status_of(payment: Payment) -> str:
    """Return the status of a payment; of one that is parked, that it waits for staff or is being sent back."""
    if not payment.parked_reason:
        return payment.get_status_display()
    return gettext("is being sent back") if payment.amount_refunded else gettext("waits for a decision")


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
