"""A batch of any size takes the same number of statements and writes the same rows as single books."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from events.models import Event
from subscriptions import billing_run, books
from subscriptions.models import BillingClock, Charge, Price
from tests.subscriptions.bank import DAY, HOUR, NOON, at, basic, broken_rules, hourly, people, settle
from tests.subscriptions.picture import picture
from tests.subscriptions.shop import pay_in, sell

pytestmark = pytest.mark.django_db


@pytest.fixture
def prices() -> list[Price]:
    return [basic(), hourly(36), sell("trial", RUB=10_00, trial_days=20, grace_days=2)["RUB"]]


def busy(customers: list[User], prices: list[Price], *, now: datetime, money: int, step: int = 1) -> None:
    """Give each customer the three plans, and a little more money than the one before."""
    for place, user in enumerate(customers):
        pay_in(user, money + place * step, at=now)
        with books.open(user, "RUB", now=now) as book:
            for price in prices:
                book.subscribe(price)


def statements(now: datetime) -> list[str]:
    with CaptureQueriesContext(connection) as caught:
        billing_run.run_due(now=now, catch_up=True)
    return [query["sql"] for query in caught.captured_queries]


def test_a_batch_of_any_size_takes_the_same_number_of_statements(prices):
    """Each book has renewals, an ended trial, metered slices, events and a notice."""
    counts = {}
    for round_, size in enumerate((1, 10, 200)):
        # The rounds are a year apart, so that nothing of the previous one is due.
        noon = NOON + round_ * timedelta(days=365)
        customers = people(size)
        busy(customers, prices, now=noon, money=3000_00)
        BillingClock.objects.exclude(wallet__owner__in=customers).update(due_at=None)
        # Five charges: the boundaries of others do not cut the metered use.
        # 59.5 days: 990 twice, 10 twice, 0.36 an hour. The third 990 is due in 1.5 days, and about 510 are missing.
        now = noon + 59 * DAY + 12 * HOUR
        ran = statements(now)
        assert Charge.objects.filter(subscription__customer__in=customers).count() == 5 * size
        assert Event.objects.filter(customer__in=customers, type="wallet.low_balance").count() == size
        counts[size] = len(ran)
    assert counts[1] == counts[10] == counts[200], counts
    assert counts[1] <= 25


def test_a_batch_writes_the_same_rows_as_books_opened_one_by_one(prices):
    together, apart = people(40, "x"), people(40, "y")
    # From a customer who runs out of money at once to one who can pay two months.
    for customers in (together, apart):
        busy(customers, prices, now=NOON, money=995_00, step=30_01)
    BillingClock.objects.filter(wallet__owner__in=apart).update(due_at=None)
    run = billing_run.run_due(now=at(days=45), catch_up=True, batch=16)
    assert run.books == 40
    for user in apart:
        settle(user, at(days=45))
    first, second = picture(*together), picture(*apart)
    assert list(first.values()) == list(second.values())
    assert broken_rules() == []


def test_books_that_are_not_due_are_left_alone(prices):
    [one] = people(1)
    pay_in(one, 2000_00, at=NOON)
    with books.open(one, "RUB", now=NOON) as book:
        book.subscribe(prices[0])
    before = picture()
    assert billing_run.run_due(now=at(days=30)) == billing_run.Run()
    assert picture() == before
