"""Reading: a statement page and a balance after a short and a long history, and the whole check of the ledger."""

import time
from collections.abc import Callable
from statistics import median
from typing import Any

from django.core.management import call_command
from django.db import connection

from billing_site.bench.data import STARTED, tidy
from ledger import statements
from ledger.models import Transaction

# A history as credits of one minor unit each: the balance after every row is known beforehand.
GROW = """
    INSERT INTO ledger_transaction (key, debit_id, credit_id, amount, currency, reason, description, wallet_id,
        balance_after, customer_id, effective_at)
    SELECT 'grow:' || wallet.id || ':' || n, (SELECT id FROM ledger_account WHERE kind = 'promotions'), wallet.id,
        1, 'RUB', 'promotion', '', wallet.id, wallet.balance + n, wallet.owner_id, %s
    FROM ledger_account AS wallet, generate_series(1, %s) AS n WHERE wallet.id = %s ORDER BY n
"""


def grow(wallet: int, rows: int) -> None:
    """Give one wallet a history of so many rows."""
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(GROW, [STARTED, rows, wallet])
    tidy()


def read(wallets: list[int]) -> dict[str, Any]:
    """Milliseconds for the newest page, a page from the middle of the history and the balance, for each wallet."""
    middles = {wallet: middle_of(wallet) for wallet in wallets}
    asked: dict[str, Callable[[int], object]] = {
        "newest page": statements.statement,
        "page from the middle": lambda wallet: statements.statement(wallet, before_id=middles[wallet]),
        "balance": statements.balance,
    }
    return {"milliseconds": {what: milliseconds(ask, wallets) for what, ask in asked.items()}}


def middle_of(wallet: int) -> int:
    """The id of the row in the middle of a wallet's history; a page of fifty follows it even in the shortest."""
    rows = Transaction.objects.filter(wallet=wallet)
    return rows.order_by("effective_at", "id").values_list("pk", flat=True)[rows.count() // 2 + 1]


def milliseconds(ask: Callable[[int], object], wallets: list[int]) -> list[float]:
    """The median of many readings, taken in turns so that what else the machine does weighs on all alike."""
    times: dict[int, list[float]] = {wallet: [] for wallet in wallets}
    for _ in range(200):
        for wallet in wallets:
            began = time.perf_counter()
            ask(wallet)
            times[wallet].append(time.perf_counter() - began)
    return [median(each) * 1000 for each in times.values()]


def check() -> dict[str, Any]:
    """The whole of check_ledger."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM ledger_transaction")
        rows = cursor.fetchone()[0]
    began = time.perf_counter()
    call_command("check_ledger", stdout=open("/dev/null", "w"))  # noqa: SIM115, PTH123 - the report is not wanted
    return {"seconds": time.perf_counter() - began, "rows": rows}
