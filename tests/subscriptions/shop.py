"""Things to sell and wallets to pay from, made the short way. No test lives here."""

from datetime import UTC, datetime
from typing import Any

from accounts.models import User
from ledger.models import Account
from subscriptions.models import Plan, Price, Subscription

START = datetime(2026, 3, 1, tzinfo=UTC)


def sell(code: str, *, is_public: bool = True, **terms: Any) -> dict[str, Price]:
    """Put a plan on sale: `sell("basic", RUB=990_00, trial_days=14)`; capitals are currencies, the rest are terms."""
    plan, _ = Plan.objects.get_or_create(code=code, defaults={"name": code.title(), "is_public": is_public})
    amounts = {name: terms.pop(name) for name in list(terms) if name.isupper()}
    return {
        currency: Price.objects.create(plan=plan, currency=currency, amount=amount, **terms)
        for currency, amount in amounts.items()
    }


def wallet(owner: User, currency: str) -> Account:
    return Account.objects.get_or_create(kind="wallet", owner=owner, currency=currency, defaults={"balance": 0})[0]


def row(owner: User, price: Price, **fields: Any) -> Subscription:
    """A bare subscription row, for what only looks at rows."""
    mine = wallet(owner, price.currency)
    return Subscription.objects.create(
        **{"customer": owner, "wallet": mine, "price": price, "created_at": START, **fields}
    )
