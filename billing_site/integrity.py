"""Run the integrity checks of every app in one snapshot, so that a live system causes no false alarms."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import connection, transaction

from core.database import patience
from core.integrity import Check
from events import integrity
from ledger import integrity as ledger
from payments import integrity as payments
from subscriptions import integrity as subscriptions

CHECKS: tuple[Check, ...] = (*ledger.CHECKS, *subscriptions.CHECKS, *payments.CHECKS, *integrity.CHECKS)
# How many wrong rows of a check are shown.
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check: `count` wrong rows, of which `rows` are the first."""

    check: Check
    count: int
    rows: list[dict[str, Any]]
    seconds: float


def renew_statistics() -> None:
    """Have PostgreSQL count the rows of the tables of the checks, before the snapshot.

    After a restore or a large import it knows nothing about them, and the slowest check then takes hours. A role counts
    only the tables that it owns; a read replica has the statistics of its primary.
    """
    if is_replica():
        return
    with connection.cursor() as cursor:
        for app in ("core", "events", "ledger", "payments", "subscriptions"):
            for model in apps.get_app_config(app).get_models():
                cursor.execute(f"ANALYZE (SKIP_LOCKED) {connection.ops.quote_name(model._meta.db_table)}")


def is_replica() -> bool:
    """Return whether the database is a read replica, or is just being restored: nothing can be written then."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_is_in_recovery()")
        replica: bool = cursor.fetchone()[0]
    return replica


@contextmanager
def snapshot() -> Iterator[None]:
    """Read the database as of one instant, in a read-only transaction."""
    with patience.within(None), transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        # The checks read whole tables: allow sorting in memory, no time limit, and no JIT compilation.
        cursor.execute("SET LOCAL work_mem = '128MB'; SET LOCAL statement_timeout = 0; SET LOCAL jit = off")
        yield


def look(checks: Iterable[Check] = CHECKS) -> list[Finding]:
    """Run the checks in order, in the current transaction if there is one, and return a finding for each."""
    return [_run(check) for check in checks]


def _run(check: Check) -> Finding:
    started = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT *, count(*) OVER () FROM ({check.sql}) AS wrong LIMIT {SHOWN}")  # noqa: S608
        names = [column.name for column in cursor.description]
        rows = cursor.fetchall()
    return Finding(
        check,
        rows[0][-1] if rows else 0,
        [dict(zip(names[:-1], row[:-1], strict=True)) for row in rows],
        time.perf_counter() - started,
    )
