"""Helpers that create plans, wallets and subscriptions. No test lives here."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from rest_framework.test import APIClient

from accounts.models import User
from ledger.models import Account
from subscriptions import books
from subscriptions.models import Plan, Price, Subscription

START = datetime(2026, 3, 1, tzinfo=UTC)
COUNTER = count()


def sell(code: str, *, is_public: bool = True, **terms: Any) -> dict[str, Price]:
    """Put a plan on sale: `sell("basic", RUB=990_00, trial_days=14)`. Currencies are in capitals, terms are not."""
    plan, _ = Plan.objects.get_or_create(code=code, defaults={"name": code.title(), "is_public": is_public})
    amounts = {name: terms.pop(name) for name in list(terms) if name.isupper()}
    return {
        currency: Price.objects.create(plan=plan, currency=currency, amount=amount, **terms)
        for currency, amount in amounts.items()
    }


def wallet(owner: User, currency: str) -> Account:
    return Account.objects.get_or_create(kind="wallet", owner=owner, currency=currency, defaults={"balance": 0})[0]


def row(owner: User, price: Price, **fields: Any) -> Subscription:
    """Create only the subscription row, without opening a book."""
    account = wallet(owner, price.currency)
    known = {"customer": owner, "wallet": account, "price": price, "created_at": START}
    return Subscription.objects.create(**known | {"wait_end": START + timedelta(days=30)} | fields)


def pay_in(owner: User, amount: int, currency: str = "RUB", *, at: datetime = START) -> None:
    """Top up the wallet as a confirmed payment does."""
    with books.open(owner, currency, now=at) as book:
        book.top_up(amount, key=f"test:{next(COUNTER)}", source="gateway_clearing:sandbox")


def client(user: User | None = None) -> APIClient:
    """Return an API client, logged in as `user` if given."""
    api_client = APIClient()
    if user is not None:
        api_client.force_authenticate(user)
    return api_client


def params(answer: Any) -> list[str]:
    """Return the parameters that a problem response names."""
    assert answer["Content-Type"] == "application/problem+json", answer
    return [error["param"] for error in answer.json()["errors"]]
