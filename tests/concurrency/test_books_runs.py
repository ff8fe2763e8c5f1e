"""Parallel billing runs on real connections write the same rows as one run, and each row once."""

from datetime import timedelta
from functools import partial
from threading import Event as Signal
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection

from accounts.models import User
from core.errors import Unavailable
from subscriptions import billing_run, books
from subscriptions.models import BillingClock, Price, Subscription
from tests.concurrency.sessions import at_once
from tests.subscriptions.bank import DAY, HOUR, NOON, at, basic, broken_rules, hourly, people, settle
from tests.subscriptions.picture import lines, of_one
from tests.subscriptions.shop import pay_in, wallet

pytestmark = pytest.mark.django_db(transaction=True)
APRIL = NOON.replace(month=4)


def customers_of(count: int, *prices: Price, money: int = 2000_00) -> list[User]:
    customers = people(count)
    for user in customers:
        with books.open(user, "RUB", now=NOON) as book:
            book.top_up(money, key=f"in:{user.pk}", source="gateway_clearing:sandbox")
            for price in prices:
                book.subscribe(price)
    return customers


def test_four_parallel_runs_write_the_same_rows_as_one():
    prices = basic(), hourly(36)
    *due, reference = customers_of(301, *prices, money=2300_00)
    BillingClock.objects.filter(wallet__owner=reference).update(due_at=None)
    now = at(days=35)
    runs = at_once([partial(billing_run.run_due, now=now, catch_up=True, batch=20)] * 4)
    settle(reference, now)
    expected = of_one(reference)
    # The top-up, a month, the next month, the server up to now.
    assert len(expected["transactions"]) == 4
    for user in due:
        assert of_one(user) == expected
    # Each book was settled by one run; a book claimed twice had nothing left to charge.
    assert sum(run.charges for run in runs) == 300 * 2
    assert sum(run.parked for run in runs) == 0
    assert broken_rules() == []


def test_runs_and_customers_do_not_deadlock(caplog):
    customers = customers_of(40, basic())

    def click(users: list[User]) -> None:
        for user in users:
            pay_in(user, 1_00, at=APRIL + HOUR)

    at_once(
        [partial(billing_run.run_due, now=APRIL + HOUR, batch=7)] * 2
        + [partial(click, customers), partial(click, customers[::-1])]
    )
    for user in customers:
        assert sorted(row[:2] for row in lines(user)) == [
            ("charge", -990_00), ("charge", -990_00), ("top_up", 1_00), ("top_up", 1_00), ("top_up", 2000_00),
        ]  # fmt: skip
    assert "transaction_run_again" not in caplog.text
    assert broken_rules() == []


def test_a_run_skips_a_locked_book():
    customers = customers_of(5, basic())
    held, done = Signal(), Signal()

    def hold() -> None:
        with books.open(customers[2], "RUB", now=APRIL + HOUR):
            held.set()
            assert done.wait(20)

    def run() -> billing_run.Run:
        assert held.wait(20)
        try:
            return billing_run.run_due(now=APRIL + HOUR)
        finally:
            done.set()

    _, ran = at_once([hold, run])
    assert ran == billing_run.Run(books=4, charges=4)
    # The holder of the lock has settled it.
    assert lines(customers[2])[-1] == ("charge", -990_00, 20_00, APRIL)


def test_runs_with_different_clocks_write_one_consistent_history():
    """Three schedulers: one on time, one twenty minutes ahead, one an hour behind."""
    customers = customers_of(30, hourly(), money=20_00)

    def scheduler(ahead: timedelta) -> None:
        for hour in range(1, 9):
            billing_run.run_due(now=NOON + hour * HOUR + ahead, batch=4)

    at_once([partial(scheduler, timedelta(0)), partial(scheduler, timedelta(minutes=20)), partial(scheduler, -HOUR)])
    for user in customers:
        settle(user, at(hours=9))
        rows = lines(user)
        # 20.00 pays for about five and a half of the 9 hours: 2000 kopecks at 360 an hour.
        assert rows[-1][2] == 0
        assert sum(amount for _, amount, *_ in rows) == 0
        instants = [when for *_, when in rows]
        assert instants == sorted(instants)
    ended = Subscription.objects.values_list("status", flat=True).distinct()
    assert list(ended) == ["suspended"]
    assert broken_rules() == []


def test_four_parallel_runs_park_broken_books_and_settle_the_rest():
    customers = customers_of(60, basic())
    poisoned = customers[::20]
    Subscription.objects.filter(customer__in=poisoned).update(anchor_at=None)
    at_once([partial(billing_run.run_due, now=APRIL + HOUR, batch=10)] * 4)
    for user in customers:
        expected = ("charge", -990_00, 1010_00, NOON) if user in poisoned else ("charge", -990_00, 20_00, APRIL)
        assert lines(user)[-1] == expected
    parked = BillingClock.objects.exclude(parked_at=None)
    assert {book.wallet.owner for book in parked} == set(poisoned)


def test_lock_timeouts_park_no_book():
    """Another session locks the charges: the run gets lock timeouts five times and gives up."""
    customers_of(3, basic())
    with psycopg.connect(**parameters()) as other:
        other.execute("LOCK TABLE subscriptions_charge IN ACCESS EXCLUSIVE MODE")
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '50ms'")
        with pytest.raises(Unavailable):
            billing_run.run_due(now=APRIL)
    connection.close()
    assert not BillingClock.objects.exclude(parked_at=None).exists()
    assert billing_run.run_due(now=APRIL) == billing_run.Run(books=3, charges=3)


def test_a_lost_connection_parks_no_book_and_loses_nothing():
    """The server ends the session between the transactions and the charges of the second batch."""
    customers = customers_of(9, basic())
    seen: list[int] = []

    def cut(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "INSERT INTO subscriptions_charge" in sql:
            seen.append(1)
            if len(seen) == 2:
                with psycopg.connect(**parameters()) as other:
                    other.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])
        return execute(sql, params, many, context)

    with connection.execute_wrapper(cut), pytest.raises(OperationalError):
        billing_run.run_due(now=APRIL, batch=3)
    connection.close()
    # The first batch is saved completely, the second not at all.
    assert sorted(len(lines(user)) for user in customers) == [2] * 6 + [3] * 3
    assert not BillingClock.objects.exclude(parked_at=None).exists()
    assert broken_rules() == []
    assert billing_run.run_due(now=APRIL) == billing_run.Run(books=6, charges=6)
    assert {lines(user)[-1] for user in customers} == {("charge", -990_00, 20_00, APRIL)}
    assert broken_rules() == []


def test_a_book_settled_during_parking_is_not_parked():
    """The run fails on it; before it is parked, it is repaired and its customer opens it."""
    [user] = customers_of(1, basic())
    Subscription.objects.filter(customer=user).update(anchor_at=None)

    def meanwhile(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "parked_reason" in sql and sql.startswith("UPDATE"):
            at_once([repair_and_open])
        return execute(sql, params, many, context)

    def repair_and_open() -> None:
        Subscription.objects.filter(customer=user).update(anchor_at=NOON)
        pay_in(user, 1_00, at=APRIL)

    with connection.execute_wrapper(meanwhile):
        billing_run.run_due(now=APRIL)
    assert BillingClock.objects.get().parked_at is None
    assert lines(user)[-2:] == [("charge", -990_00, 20_00, APRIL), ("top_up", 1_00, 21_00, APRIL)]


def test_staff_and_a_run_can_settle_the_same_books_at_once():
    customers = customers_of(20, basic())
    ids = [wallet(user, "RUB").pk for user in customers]
    now = APRIL + 20 * DAY
    at_once(
        [partial(billing_run.settle_books, ids, now)] * 2
        + [partial(billing_run.run_due, now=now, catch_up=True, batch=6)] * 2
    )
    for user in customers:
        assert lines(user)[-1] == ("charge", -990_00, 20_00, APRIL)
    assert broken_rules() == []


def parameters() -> dict[str, Any]:
    """Return the connection parameters of the test database for psycopg."""
    known = connection.get_connection_params()
    return {name: known[name] for name in ("dbname", "user", "password", "host", "port") if known.get(name)}
