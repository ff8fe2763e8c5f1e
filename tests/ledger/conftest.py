"""Alice's wallet and debt in euros, and helpers to post entries and read balances."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

import ledger
from accounts.models import User
from ledger import wallets
from ledger.models import Account

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CLEARING = "gateway_clearing:sandbox"


@pytest.fixture
def wallet(alice: User) -> int:
    return wallets.wallet_id_of(alice.pk, "EUR")


@pytest.fixture
def debt(alice: User) -> int:
    return wallets.debt_id_of(alice.pk, "EUR")


def entry(key: str, debit: int | str, credit: int | str, amount: int, **more: Any) -> ledger.Entry:
    """Return an entry in euros at noon, by default an adjustment."""
    return ledger.Entry(
        **{"key": key, "debit": debit, "credit": credit, "amount": amount, "currency": "EUR", "reason": "adjustment"}
        | {"effective_at": NOON}
        | more
    )


@pytest.fixture
def top_up() -> Callable[..., ledger.Posted]:
    """Return a function that puts money into a wallet: `top_up(wallet, 500)`."""
    count = iter(range(10**6))

    def run(wallet: int, amount: int, **more: Any) -> ledger.Posted:
        key = f"top-up:{wallet}:{next(count)}"
        return ledger.post([entry(key, CLEARING, wallet, amount, reason="top_up", **more)])[0]

    return run


def balance_of(account: int | str) -> int:
    """Return the stored balance of a wallet or debt, or the sum of a system account's rollups."""
    row = Account.objects.get(**({"pk": account} if isinstance(account, int) else {"code": account}))
    return row.balance if row.balance is not None else sum(r.delta for r in row.rollups.all())
