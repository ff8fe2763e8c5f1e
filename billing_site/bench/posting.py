"""ledger.post in batches and one at a time, against the same rows inserted by one hand-written statement."""

import random
import time
from typing import Any

from django.db import connection, transaction

import ledger
from billing_site.bench.data import DUE, FUNDS
from ledger.models import Account

AMOUNT = 100

INSERT = """
    INSERT INTO ledger_transaction (key, debit_id, credit_id, amount, currency, reason, description, wallet_id,
        balance_after, customer_id, effective_at)
    SELECT 'set:' || wallet.id, wallet.id, (SELECT id FROM ledger_account WHERE kind = 'revenue'), %s, 'RUB', 'charge',
        '', wallet.id, %s, wallet.owner_id, %s
    FROM (SELECT * FROM ledger_account WHERE kind = 'wallet' ORDER BY id LIMIT %s FOR NO KEY UPDATE) AS wallet
"""


def wallets(count: int) -> list[int]:
    """The first wallets by id."""
    return list(Account.objects.filter(kind="wallet").order_by("pk").values_list("pk", flat=True)[:count])


def charge(key: str, wallet: int, revenue: str) -> ledger.Entry:
    """A charge of AMOUNT to a revenue account."""
    return ledger.Entry(key, wallet, revenue, AMOUNT, "RUB", "charge", DUE)


def batches(rows: int, size: int, revenues: int = 1) -> dict[str, Any]:
    """Charge `rows` wallets in calls of `size`, into one revenue account or spread over many."""
    ids = wallets(rows)
    codes = ["revenue"] if revenues == 1 else [f"revenue:{n}" for n in range(revenues)]
    began = time.perf_counter()
    for first in range(0, rows, size):
        part = enumerate(ids[first : first + size], first)
        ledger.post([charge(f"batch:{wallet}", wallet, codes[n % revenues]) for n, wallet in part])
    return {"seconds": time.perf_counter() - began, "rows": rows}


def set_based(rows: int) -> dict[str, Any]:
    """The same rows by one statement."""
    began = time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(INSERT, [AMOUNT, FUNDS - AMOUNT, DUE, rows])
    return {"seconds": time.perf_counter() - began, "rows": rows}


def singly(seconds: float, seed: int) -> dict[str, Any]:
    """One posting per transaction from this connection, to wallets drawn at random."""
    ids, pick = wallets(1_000_000), random.Random(seed)  # noqa: S311 - which wallet is no secret
    end, done = time.perf_counter() + seconds, 0
    while time.perf_counter() < end:
        ledger.post([charge(f"single:{seed}:{done}", pick.choice(ids), "revenue")])
        done += 1
    return {"seconds": seconds, "rows": done}
