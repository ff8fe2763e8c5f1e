"""A closed account uses and pays nothing more, and goes on where it stopped when it is opened again."""

import pytest
from django.db import IntegrityError, connection, transaction

from accounts import tokens
from accounts.models import User
from subscriptions import billing_run, books, closure
from subscriptions.models import Charge, Subscription
from tests.accounts.conftest import me, refreshed
from tests.subscriptions.bank import at, balance, basic, broken_rules, hourly, settle
from tests.subscriptions.rows import events
from tests.subscriptions.shop import pay_in, sell

pytestmark = pytest.mark.django_db


def status_of(subscription: Subscription) -> str:
    subscription.refresh_from_db()
    return str(subscription.status)


@pytest.fixture
def server(alice: User) -> Subscription:
    """3.60 an hour out of 100.00, from noon."""
    pay_in(alice, 100_00, at=at())
    with books.open(alice, "RUB", now=at()) as book:
        return book.subscribe(hourly())


def test_metered_use_stops_with_the_account_and_goes_on_with_it(alice, server):
    closure.close(alice, now=at(hours=1))
    assert (status_of(server), balance(alice)) == ("paused", 96_40)
    billing_run.run_due(now=at(days=3))
    settle(alice, at(days=3))
    assert balance(alice) == 96_40
    closure.reopen(alice, now=at(days=3))
    assert status_of(server) == "active"
    settle(alice, at(days=3, hours=1))
    assert balance(alice) == 92_80
    assert broken_rules() == []


def test_what_the_customer_paused_stays_paused(alice, server):
    with books.open(alice, "RUB", now=at(hours=1)) as book:
        book.pause(server)
    closure.close(alice, now=at(hours=2))
    closure.reopen(alice, now=at(hours=3))
    assert (status_of(server), balance(alice)) == ("paused", 96_40)


def test_a_paid_period_runs_out_without_a_renewal(alice):
    pay_in(alice, 3000_00, at=at())
    with books.open(alice, "RUB", now=at()) as book:
        subscription = book.subscribe(basic())
    closure.close(alice, now=at(days=1))
    settle(alice, at(days=30))
    assert status_of(subscription) == "active"
    settle(alice, at(days=32))
    assert (status_of(subscription), balance(alice)) == ("suspended", 2010_00)
    # Money that comes in starts nothing either.
    pay_in(alice, 1_00, at=at(days=33))
    assert (status_of(subscription), balance(alice)) == ("suspended", 2011_00)
    closure.reopen(alice, now=at(days=34))
    assert (status_of(subscription), balance(alice)) == ("active", 1021_00)
    assert broken_rules() == []


def test_days_of_grace_end_with_the_account(alice):
    graceful = sell("graceful", RUB=310_00, grace_days=10)["RUB"]
    pay_in(alice, 310_00, at=at())
    with books.open(alice, "RUB", now=at()) as book:
        subscription = book.subscribe(graceful)
    # April has 30 days: three of them cost 31.00, which nobody has paid.
    closure.close(alice, now=at(days=34))
    assert status_of(subscription) == "suspended"
    assert Charge.objects.latest("id").amount == 31_00
    pay_in(alice, 31_00, at=at(days=35))
    assert balance(alice) == 0


def test_closing_covers_every_currency_and_says_so_once(alice):
    prices = sell("both", RUB=3_60, EUR=36, interval="hour", metered=True)
    rows = []
    for currency in ("RUB", "EUR"):
        pay_in(alice, 10_00, currency, at=at())
        with books.open(alice, currency, now=at()) as book:
            rows.append(book.subscribe(prices[currency]))
    for _ in range(2):
        closure.close(alice, now=at(hours=1))
    assert [status_of(row) for row in rows] == ["paused", "paused"]
    assert [event for event in events(alice) if event[0] == "customer.closed"] == [
        ("customer.closed", at(hours=1), None)
    ]


def test_a_closing_is_dated_by_the_books(alice, server):
    """The book was settled to 12:00:05 while somebody closed the account as of 12:00:00."""
    settle(alice, at(seconds=5))
    closure.close(alice, now=at())
    assert [event for event in events(alice) if event[0] == "customer.closed"] == [
        ("customer.closed", at(seconds=5), None)
    ]
    settle(alice, at(days=1, seconds=5))
    closure.reopen(alice, now=at(days=1))
    assert [event[1] for event in events(alice) if event[0] == "customer.reopened"] == [at(days=1, seconds=5)]
    assert broken_rules() == []


def test_a_trial_runs_to_its_end_and_then_nothing_starts(alice):
    pay_in(alice, 1000_00, at=at())
    with books.open(alice, "RUB", now=at()) as book:
        row = book.subscribe(sell("tried", RUB=100_00, trial_days=7)["RUB"])
    closure.close(alice, now=at(days=1))
    settle(alice, at(days=6))
    assert status_of(row) == "trialing"
    settle(alice, at(days=8))
    assert (status_of(row), balance(alice)) == ("suspended", 1000_00)


def test_nothing_else_closes_an_account(alice):
    with pytest.raises(IntegrityError, match="closed and opened by subscriptions"), transaction.atomic():
        User.objects.filter(pk=alice.pk).update(is_active=False)
    alice.is_active = False
    with pytest.raises(IntegrityError, match="closed and opened by subscriptions"), transaction.atomic():
        alice.save()
    closure.close(alice, now=at())
    with connection.cursor() as cursor:
        # The permission ends with its transaction. A test is one, so end it here.
        cursor.execute("SELECT set_config('billing.closing', '', true)")
    with pytest.raises(IntegrityError, match="closed and opened by subscriptions"), transaction.atomic():
        User.objects.filter(pk=alice.pk).update(is_active=True)


def test_closing_an_account_ends_its_tokens_for_good(alice):
    pair = tokens.issue(alice, now=at())
    closure.close(alice, now=at(hours=1))
    closure.reopen(alice, now=at(hours=2))
    assert me(pair.access).status_code == refreshed(pair.refresh).status_code == 401
