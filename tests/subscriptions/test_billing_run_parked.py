"""A book that cannot be settled is parked with the reason and does not stop the others."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import connection

from subscriptions import billing_run, overview
from subscriptions.engine.book import Book
from subscriptions.engine.settlement import settle as settle_book
from subscriptions.models import BillingClock, Subscription
from tests.subscriptions.bank import HOUR, MINUTE, NOON, balance, basic, broken_rules, settle
from tests.subscriptions.due_books import APRIL, block_next_charge, clock_of, corrupt, due_in_april, repair
from tests.subscriptions.picture import lines
from tests.subscriptions.shop import wallet

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("plant", "reason"), [(block_next_charge, "one_charge_per_subscription"), (corrupt, "AssertionError")]
)
def test_a_broken_book_is_parked_and_the_others_are_settled(plant, reason):
    customers = due_in_april(20, basic())
    poisoned = customers[7]
    plant(poisoned)
    before = lines(poisoned)
    run = billing_run.run_due(now=APRIL + HOUR, batch=8)
    assert run == billing_run.Run(books=19, charges=19, parked=1)
    for user in customers:
        if user != poisoned:
            assert lines(user)[-1] == ("charge", -990_00, 20_00, APRIL)
    book = clock_of(poisoned)
    assert (book.parked_at, book.settled_at) == (APRIL + HOUR, NOON)
    assert reason in book.parked_reason
    assert lines(poisoned) == before
    # The next run skips it, and it stays parked with the first reason.
    assert billing_run.run_due(now=APRIL + 2 * HOUR) == billing_run.Run()
    assert clock_of(poisoned).parked_at == APRIL + HOUR


def test_a_batch_of_broken_books_parks_each():
    customers = due_in_april(5, basic())
    for user in customers:
        corrupt(user)
    assert billing_run.run_due(now=APRIL, batch=2) == billing_run.Run(parked=5)


def test_opening_a_repaired_book_unparks_it():
    [user] = due_in_april(1, basic())
    corrupt(user)
    assert billing_run.run_due(now=APRIL + HOUR).parked == 1
    repair(user)
    settle(user, APRIL + 2 * HOUR)
    book = clock_of(user)
    assert (book.parked_at, book.parked_reason, book.settled_at) == (None, "", APRIL + 2 * HOUR)
    # The renewal is dated at its boundary, not at the repair.
    assert lines(user)[-1] == ("charge", -990_00, 20_00, APRIL)
    assert broken_rules() == []


def test_staff_settle_a_repaired_book_and_a_broken_one_stays_parked():
    good, bad = due_in_april(2, basic())
    for user in (good, bad):
        corrupt(user)
    assert billing_run.run_due(now=APRIL + HOUR).parked == 2
    repair(good)
    ids = [wallet(user, "RUB").pk for user in (bad, good)]
    run = billing_run.settle_books(ids, APRIL + 2 * HOUR)
    assert run == billing_run.Run(books=1, charges=1, parked=1)
    assert (clock_of(good).parked_at, clock_of(bad).parked_at) == (None, APRIL + 2 * HOUR)


def test_access_to_a_parked_book_is_still_calculated(alice):
    [user] = due_in_april(1, basic())
    block_next_charge(user)
    billing_run.run_due(now=APRIL + HOUR)
    row = Subscription.objects.get(customer=user)
    assert overview.access(row, now=APRIL + HOUR).active is True


def test_a_task_time_limit_parks_no_book():
    """Celery raises it anywhere in the run; it is not the fault of the current book."""
    customers = due_in_april(6, basic())
    struck: list[str] = []

    def strike(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "INSERT INTO subscriptions_charge" in sql and len(struck) < 2:
            struck.append(sql)
            raise SoftTimeLimitExceeded
        return execute(sql, params, many, context)

    # It is raised in two runs.
    for _ in range(2):
        with connection.execute_wrapper(strike), pytest.raises(SoftTimeLimitExceeded):
            billing_run.run_due(now=APRIL + HOUR)
    assert not BillingClock.objects.exclude(parked_at=None).exists()
    assert billing_run.run_due(now=APRIL + HOUR) == billing_run.Run(books=6, charges=6)
    assert {balance(user) for user in customers} == {20_00}


def test_a_book_that_outlasts_a_run_is_settled_last_and_alone(monkeypatch):
    """The first run's time ends in it. The next run settles the others first; alone it is fast enough."""
    customers = due_in_april(4, basic())
    slow = wallet(customers[0], "RUB").pk
    strike_in(monkeypatch, slow, times=1)
    with pytest.raises(SoftTimeLimitExceeded):
        billing_run.run_due(now=APRIL + HOUR)
    assert [book.pk for book in BillingClock.objects.exclude(slow_at=None)] == [slow]
    assert billing_run.run_due(now=APRIL + HOUR) == billing_run.Run(books=4, charges=4)
    assert not BillingClock.objects.exclude(slow_at=None).exists()


def test_a_book_that_is_too_slow_alone_is_parked(monkeypatch):
    customers = due_in_april(4, basic())
    slow = wallet(customers[0], "RUB").pk
    monkeypatch.setattr(billing_run, "LONG", timedelta(0))
    strike_in(monkeypatch, slow, times=9)
    # The first run ends in it, the second settles the others and then ends in it again.
    for _ in range(2):
        with pytest.raises(SoftTimeLimitExceeded):
            billing_run.run_due(now=APRIL + HOUR)
    assert [balance(user) for user in customers[1:]] == [20_00] * 3
    assert "takes longer than a billing run" in clock_of(customers[0]).parked_reason
    assert billing_run.run_due(now=APRIL + HOUR) == billing_run.Run()


@contextmanager
def slow_to_save(wallet_id: int) -> Iterator[None]:
    """Let the time of a run end whenever it saves a batch that has this wallet's book."""

    def strike(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        numbers = re.findall(r"\d+", str(params))
        if "INSERT INTO subscriptions_billingclock" in sql and str(wallet_id) in numbers:
            raise SoftTimeLimitExceeded
        return execute(sql, params, many, context)

    with connection.execute_wrapper(strike):
        yield


def test_a_book_that_is_slow_to_save_is_settled_last_and_alone_and_then_parked(monkeypatch):
    customers = due_in_april(4, basic())
    with slow_to_save(wallet(customers[0], "RUB").pk):
        # Nobody knows which of the batch it is, so each is settled alone: the others in the second or the third run.
        for _ in range(3):
            with pytest.raises(SoftTimeLimitExceeded):
                billing_run.run_due(now=APRIL + HOUR)
        assert [balance(user) for user in customers[1:]] == [20_00] * 3
        assert not BillingClock.objects.exclude(parked_at=None).exists()
        monkeypatch.setattr(billing_run, "LONG", timedelta(0))
        with pytest.raises(SoftTimeLimitExceeded):
            billing_run.run_due(now=APRIL + HOUR)
    assert "takes longer than a billing run" in clock_of(customers[0]).parked_reason
    assert billing_run.run_due(now=APRIL + HOUR) == billing_run.Run()
    assert broken_rules() == []


def test_books_in_whose_batch_a_busy_run_ends_are_tried_together_once_more():
    """The run settled others before, so its time may just have been up. The next one begins with them."""
    customers = due_in_april(5, basic())
    last = wallet(customers[4], "RUB").pk
    late = [wallet(customers[3], "RUB").pk, last]
    BillingClock.objects.filter(pk__in=late).update(due_at=APRIL + MINUTE)
    for marked in (0, 2):
        with slow_to_save(last), pytest.raises(SoftTimeLimitExceeded):
            billing_run.run_due(now=APRIL + HOUR, batch=3)
        assert BillingClock.objects.exclude(slow_at=None).count() == marked
    assert [balance(user) for user in customers] == [20_00] * 3 + [1010_00] * 2
    assert billing_run.run_due(now=APRIL + HOUR) == billing_run.Run(books=2, charges=2)


def strike_in(monkeypatch: pytest.MonkeyPatch, wallet_id: int, *, times: int) -> None:
    """Let the time of a run end while it settles this wallet's book, so many times."""
    left = [None] * times
    poisoned = Subscription.objects.get(wallet_id=wallet_id).pk

    def settle_or_strike(book: Book, at: int) -> None:
        if left and any(sub.id == poisoned for sub in book.subs):
            left.pop()
            raise SoftTimeLimitExceeded
        settle_book(book, at)

    monkeypatch.setattr(billing_run, "settle", settle_or_strike)


def test_a_book_whose_statement_takes_too_long_is_parked():
    customers = due_in_april(4, basic())
    poisoned = wallet(customers[2], "RUB").pk

    def delay(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "INSERT INTO subscriptions_billingclock" in sql and str(poisoned) in str(params):
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL statement_timeout = '10ms'")
                cursor.execute("SELECT pg_sleep(1)")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(delay):
        assert billing_run.run_due(now=APRIL + HOUR) == billing_run.Run(books=3, charges=3, parked=1)
    assert "statement timeout" in clock_of(customers[2]).parked_reason
    assert [balance(user) for user in customers] == [20_00, 20_00, 1010_00, 20_00]


def test_an_error_while_claiming_is_raised():
    due_in_april(1, basic())

    def strike(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "SKIP LOCKED" in sql:
            raise KeyError("claim")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(strike), pytest.raises(KeyError, match="claim"):
        billing_run.run_due(now=APRIL + HOUR)
