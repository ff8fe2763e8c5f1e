"""Short words for moving money and time in tests of the books. No test lives here."""

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
    """An instant after noon of 1 March 2026: at(hours=2)."""
    return NOON + timedelta(**later)


def settle(user: User, now: datetime, currency: str = "RUB") -> None:
    """Open and close the book, as any request does first."""
    with books.open(user, currency, now=now):
        pass


def do(user: User, now: datetime, *acts: Callable[[OpenBook], object]) -> None:
    """Do several things in one opened book."""
    with books.open(user, "RUB", now=now) as book:
        for act in acts:
            act(book)


def balance(user: User, currency: str = "RUB") -> int:
    held = wallet(user, currency).balance
    assert held is not None
    return held


def basic() -> Price:
    """990.00 roubles a month, paid ahead."""
    return sell("basic", RUB=990_00)["RUB"]


def hourly(amount: int = 3_60, code: str = "hourly") -> Price:
    """By default 3.60 roubles an hour, as used: a kopeck every ten seconds."""
    return sell(code, RUB=amount, interval="hour", metered=True)["RUB"]


def people(count: int, name: str = "c") -> list[User]:
    """Customers without a password."""
    start = next(COUNTER)
    return User.objects.bulk_create(
        User(username=f"{name}{start}-{n:04}", email=f"{name}{start}-{n:04}@example.com") for n in range(count)
    )


def broken_rules() -> list[str]:
    """What check_ledger would find wrong now: nothing, in a sound database."""
    with connection.cursor() as cursor:
        # Nobody has counted these rows yet, and the planner would take them for a handful.
        cursor.execute("ANALYZE subscriptions_charge, subscriptions_subscription, events_event, ledger_transaction")
    return [finding.check.name for finding in integrity.look() if finding.count]


@contextmanager
def guards_off(table: str) -> Iterator[None]:
    """Write past the triggers of a table, to plant what they would refuse."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        try:
            yield
        finally:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
