"""Reading: a statement page and a balance after a short and a long history, and the whole check of the ledger."""

import time
from statistics import median
from typing import Any

from django.core.management import call_command
from django.db import connection

from billing_site.bench.data import STARTED, tidy
from ledger import statements

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


def read(wallet: int, middle: int) -> dict[str, Any]:
    """Milliseconds for the newest page, a page from the middle of the history, and the balance."""
    return {
        "first_page": milliseconds(lambda: statements.statement(wallet, limit=50)),
        "middle_page": milliseconds(lambda: statements.statement(wallet, limit=50, before_id=middle)),
        "balance": milliseconds(lambda: statements.balance(wallet)),
    }


def milliseconds(read_once: Any) -> float:
    """The median of many readings."""
    times = []
    for _ in range(60):
        began = time.perf_counter()
        read_once()
        times.append(time.perf_counter() - began)
    return median(times) * 1000


def check() -> dict[str, Any]:
    """The whole of check_ledger."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM ledger_transaction")
        rows = cursor.fetchone()[0]
    began = time.perf_counter()
    call_command("check_ledger", stdout=open("/dev/null", "w"))  # noqa: SIM115, PTH123 - the report is not wanted
    return {"seconds": time.perf_counter() - began, "rows": rows}
