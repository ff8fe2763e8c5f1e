"""Helpers that move money and time in tests of the books. No test lives here."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from django.db import connection

from accounts.models import User
from billing_site import integrity
from subscriptions import books
from subscriptions.books import OpenBook
from subscriptions.models import Price
from tests.subscriptions.shop import COUNTER, sell, wallet

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MICROSECOND, SECOND, MINUTE = timedelta(microseconds=1), timedelta(seconds=1), timedelta(minutes=1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def at(**later: float) -> datetime:
    """Return an instant after noon of 1 March 2026: at(hours=2)."""
    return NOON + timedelta(**later)


def settle(user: User, now: datetime, currency: str = "RUB") -> None:
    """Open and close the book, which settles it to `now`."""
    with books.open(user, currency, now=now):
        pass


def do(user: User, now: datetime, *acts: Callable[[OpenBook], object]) -> None:
    """Do several operations in one open book."""
    with books.open(user, "RUB", now=now) as book:
        for act in acts:
            act(book)


def balance(user: User, currency: str = "RUB") -> int:
    amount = wallet(user, currency).balance
    assert amount is not None
    return amount


def basic() -> Price:
    """Sell the plan "basic": 990.00 roubles a month, paid ahead."""
    return sell("basic", RUB=990_00)["RUB"]


def hourly(amount: int = 3_60, code: str = "hourly") -> Price:
    """Sell a metered plan, by default for 3.60 roubles an hour: a kopeck every ten seconds."""
    return sell(code, RUB=amount, interval="hour", metered=True)["RUB"]


def people(count: int, name: str = "c") -> list[User]:
    """Create customers without a password."""
    start = next(COUNTER)
    return User.objects.bulk_create(
        User(username=f"{name}{start}-{n:04}", email=f"{name}{start}-{n:04}@example.com") for n in range(count)
    )


def broken_rules() -> list[str]:
    """Return the names of the integrity checks that find an error."""
    with connection.cursor() as cursor:
        # Without statistics the planner expects a few rows and chooses slow plans.
        cursor.execute("ANALYZE subscriptions_charge, subscriptions_subscription, events_event, ledger_transaction")
    return [finding.check.name for finding in integrity.look() if finding.count]


@contextmanager
def guards_off(table: str) -> Iterator[None]:
    """Disable the triggers of a table, to write rows that they would refuse."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        try:
            yield
        finally:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
