"""Operations for one customer read no rows of other customers, which sharding by customer needs.

PostgreSQL counts the rows read. With thirty times as many neighbours the count must stay the same.
"""

from collections.abc import Callable

import pytest
from django.db import connection, transaction

from accounts.models import User
from subscriptions import billing_run, books, overview
from tests.subscriptions.bank import DAY, HOUR, NOON, hourly
from tests.subscriptions.shop import pay_in

HOT = (
    "ledger_account",
    "ledger_transaction",
    "subscriptions_subscription",
    "subscriptions_billingclock",
    "subscriptions_charge",
    "events_event",
)


def neighbours(number: int, first: int) -> None:
    """Create other customers with a wallet, a running subscription and some history, not due for months."""
    price = hourly(code=f"hourly-{first}")
    for n in range(first, first + number):
        other = User.objects.create(username=f"other{n}", email=f"other{n}@example.com")
        pay_in(other, 1_000_000_00, at=NOON)
        with books.open(other, "RUB", now=NOON + 40 * DAY) as book:
            book.subscribe(price)


def strangers(number: int) -> None:
    """Create customers with only a wallet and update statistics, so that tables are too large to be scanned."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO accounts_user (username, email, password, first_name, last_name, is_superuser, is_staff,"
            " is_active, date_joined, language, token_version)"
            " SELECT 's' || n, 's' || n || '@example.com', '!', '', '', false, false, true, now(), 'en', 0"
            " FROM generate_series(1, %s) AS n",
            [number],
        )
        cursor.execute(
            "INSERT INTO ledger_account (owner_id, kind, code, currency, balance) "
            "SELECT id, 'wallet', '', 'RUB', 0 FROM accounts_user WHERE username ~ '^s[0-9]+$'"
        )
        cursor.execute(f"ANALYZE {', '.join(HOT)}")


def rows_read(act: Callable[[], object]) -> dict[str, int]:
    """Return how many rows of each busy table `act` reads, by index or by scan."""
    with transaction.atomic(), connection.cursor() as cursor:
        # Scanning small tables is cheap; disable it to get the plans of a table with millions of rows.
        for whole in ("seqscan", "hashjoin", "mergejoin"):
            cursor.execute(f"SET LOCAL enable_{whole} = off")
        # Triggers have cached their plans.
        cursor.execute("DISCARD PLANS")
        before = counted(cursor)
        act()
        after = counted(cursor)
    return {table: after[table] - before[table] for table in HOT}


def counted(cursor: object) -> dict[str, int]:
    cursor.execute(  # type: ignore[attr-defined]
        "SELECT relname, seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables "
        "WHERE relname = ANY(%s)",
        [list(HOT)],
    )
    return dict(cursor.fetchall())  # type: ignore[attr-defined]


@pytest.mark.django_db
def test_operations_for_one_customer_read_no_other_customers_rows(alice: User) -> None:
    price = hourly()
    pay_in(alice, 1000_00)
    with books.open(alice, "RUB", now=NOON) as book:
        subscription = book.subscribe(price)
    hours = iter(range(1, 100))

    def run_due() -> object:
        # Keep the batch far smaller than the table, as in production: otherwise a scan is the best plan.
        return billing_run.run_due(now=NOON + next(hours) * HOUR, batch=2)

    def top_up() -> None:
        pay_in(alice, 100_00, at=NOON + next(hours) * HOUR)

    def change() -> None:
        with books.open(alice, "RUB", now=NOON + next(hours) * HOUR) as book:
            book.pause(subscription)
            book.resume(subscription)

    def ask() -> None:
        overview.access(subscription, now=NOON + next(hours) * HOUR)

    acts = (run_due, top_up, change, ask)
    neighbours(2, first=0)
    alone = [rows_read(act) for act in acts]
    neighbours(60, first=100)
    strangers(5_000)
    crowded = [rows_read(act) for act in acts]

    for act, few, many in zip(acts, alone, crowded, strict=True):
        grown = {table: (few[table], many[table]) for table in HOT if many[table] > few[table] + 2}
        assert not grown, f"{act.__name__} reads other customers' rows: {grown}"
