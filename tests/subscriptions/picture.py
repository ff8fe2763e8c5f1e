"""Everything saved about a customer, in a form that can be compared between databases, customers or runs.

Ids and the times at which rows were written are left out. No test lives here.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from accounts.models import User
from events.models import Event
from ledger.models import Account, Transaction
from subscriptions.models import BillingClock, Charge, Subscription

SUBSCRIPTION = (
    "status", "price__plan__code", "scheduled_price__plan__code", "quantity", "periods", "auto_renew", "anchor_at",
    "period_number", "period_start", "period_end", "period_paid", "period_length", "paused_left", "trial_end",
    "grace_end", "wait_end", "billed_until", "credit", "cancel_requested", "scheduled_quantity", "period_net",
    "charge_start", "is_held", "started_at", "ended_at", "entry_count",
)  # fmt: skip
CHARGE = (
    "price__plan__code", "period_start", "period_end", "ended_at", "amount", "quantity", "full_length", "credit_before",
    "credit_after",
)  # fmt: skip
BOOK = ("settled_at", "due_at", "noticed_hours", "parked_at", "parked_reason")


def picture(*customers: User) -> dict[str, Any]:
    """Return everything saved about these customers, by default all, by username and table."""
    users = customers or tuple(User.objects.order_by("username"))
    return {user.username: of_one(user) for user in users}


def of_one(user: User) -> dict[str, Any]:
    subscriptions = list(Subscription.objects.filter(customer=user).order_by("id"))
    numbers = {row.public_id: f"s{place}" for place, row in enumerate(subscriptions)}
    places = {row.pk: numbers[row.public_id] for row in subscriptions}
    wallets = Account.objects.filter(owner=user).order_by("currency", "kind")
    charges: dict[str, list[Any]] = defaultdict(list)
    for row in (
        Charge.objects.filter(subscription__in=subscriptions)
        .order_by("period_start", "id")
        .select_related("price__plan")
    ):
        back = Transaction.objects.get(pk=row.refund_id).amount if row.refund_id else None
        charges[places[row.subscription_id]].append((*values(row, CHARGE), row.void_as != 0, back))
    return {
        "accounts": [(w.kind, w.currency, w.balance, w.moved_at) for w in wallets],
        "transactions": lines(user),
        "subscriptions": {places[row.pk]: values(row, SUBSCRIPTION) for row in subscriptions},
        "charges": dict(charges),
        "events": [
            (row.type, numbers.get(row.subject, row.subject), row.effective_at, renamed(row.data, numbers))
            for row in Event.objects.filter(customer=user).order_by("id")
        ],
        "books": [
            values(row, BOOK) for row in BillingClock.objects.filter(wallet__owner=user).order_by("wallet__currency")
        ],
    }


def lines(user: User) -> list[tuple[Any, ...]]:
    """Return the customer's transactions in order: (reason, signed amount, balance after, instant)."""
    rows = Transaction.objects.filter(customer=user, wallet__isnull=False).order_by("id")
    return [
        (row.reason, -row.amount if row.debit_id == row.wallet_id else row.amount, row.balance_after, row.effective_at)
        for row in rows
    ]


def values(row: Any, names: Sequence[str]) -> tuple[Any, ...]:
    """Return fields of a row, also through foreign keys."""
    result = []
    for name in names:
        value = row
        for part in name.split("__"):
            value = getattr(value, part) if value is not None else None
        result.append(value)
    return tuple(result)


def renamed(data: Any, numbers: dict[str, str]) -> Any:
    """Return event data with public ids replaced by the subscription's place."""
    if isinstance(data, dict):
        return {key: renamed(value, numbers) for key, value in data.items()}
    if isinstance(data, list):
        return [renamed(value, numbers) for value in data]
    return numbers.get(data, data) if isinstance(data, str) else data
