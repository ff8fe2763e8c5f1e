"""The billing run settles what is due and nothing else, even if it is late or a clock is wrong."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine

from accounts.models import User
from core import clock
from events.models import Event
from subscriptions import billing_run, books, tasks
from subscriptions.models import BillingClock
from tests.subscriptions.bank import (
    DAY,
    HOUR,
    MICROSECOND,
    NOON,
    at,
    balance,
    basic,
    broken_rules,
    hourly,
    people,
    settle,
)
from tests.subscriptions.due_books import APRIL, clock_of, due_in_april, recently_due
from tests.subscriptions.picture import lines, picture
from tests.subscriptions.shop import pay_in

pytestmark = pytest.mark.django_db


def test_a_run_settles_only_due_books(alice, mallory):
    price = basic()
    [early] = due_in_april(1, price)
    pay_in(mallory, 2000_00, at=at(days=1))
    with books.open(mallory, "RUB", now=at(days=1)) as book:
        book.subscribe(price)
    before = picture(mallory)
    assert billing_run.run_due(now=APRIL - MICROSECOND) == billing_run.Run()
    assert billing_run.run_due(now=APRIL) == billing_run.Run(books=1, charges=1)
    assert lines(early)[-1] == ("charge", -990_00, 20_00, APRIL)
    assert picture(mallory) == before


def test_a_second_run_at_the_same_instant_has_nothing_to_do():
    customers = due_in_april(3, basic())
    assert billing_run.run_due(now=APRIL + HOUR) == billing_run.Run(books=3, charges=3)
    before = picture(*customers)
    assert billing_run.run_due(now=APRIL + HOUR) == billing_run.Run()
    assert picture(*customers) == before


def test_the_task_settles_due_books():
    user, due = recently_due()
    tasks.bill_due()
    tasks.bill_due()
    assert lines(user)[-1] == ("charge", -990_00, 20_00, due)


@pytest.mark.parametrize("off", [-40 * DAY, 5 * DAY, 4000 * DAY])
def test_a_worker_with_a_wrong_clock_uses_the_databases_clock(off):
    user, due = recently_due()
    with time_machine.travel(clock.now() + off):
        tasks.bill_due()
    assert lines(user)[-1] == ("charge", -990_00, 20_00, due)
    settled_at = clock_of(user).settled_at
    assert settled_at
    assert settled_at < clock.now()


def test_a_clock_that_goes_back_changes_nothing():
    customers = due_in_april(3, basic())
    for user in customers:
        with books.open(user, "RUB", now=at(days=1)) as book:
            book.subscribe(hourly(code=f"h{user.pk}"))
    billing_run.run_due(now=at(days=2))
    before = picture(*customers)
    for now in (at(days=2) - HOUR, at(days=1), NOON - timedelta(days=400)):
        assert billing_run.run_due(now=now) == billing_run.Run()
        assert billing_run.settle_books([book.pk for book in BillingClock.objects.all()], now).charges == 0
    assert picture(*customers) == before
    # When the clock is right again, billing continues from the settled instant.
    assert billing_run.run_due(now=at(days=2) + HOUR) == billing_run.Run(books=3, charges=3)
    assert broken_rules() == []


@pytest.mark.parametrize("minutes", [37, 60, 1440, 10_000])
def test_settling_in_small_steps_gives_the_same_result(minutes):
    """A month and two servers with odd rates on one wallet, until long after it runs dry."""
    once, ticked = people(2)
    prices = [basic(), hourly(3_57), hourly(1_13, "odd")]
    for user in (once, ticked):
        pay_in(user, 1100_00, at=NOON)
        with books.open(user, "RUB", now=NOON) as book:
            for price in prices:
                book.subscribe(price)
    end = at(days=32)
    now = at(minutes=minutes)
    # The money left after the month lasts for about 23 hours of the servers.
    while now < at(days=2):
        settle(ticked, now)
        now += timedelta(minutes=minutes)
    for user in (once, ticked):
        settle(user, end)
    assert totals(once) == totals(ticked)
    assert broken_rules() == []


def totals(user: User) -> Any:
    """Return what does not depend on how metered charges are split: costs, statuses, fractions and events."""
    drawn = picture(user)[user.username]
    return (
        drawn["accounts"],
        {name: fields[:-1] for name, fields in drawn["subscriptions"].items()},
        {name: sum(row[4] for row in rows) for name, rows in drawn["charges"].items()},
        [event for event in drawn["events"] if event[0] != "wallet.low_balance"],
    )


def test_events_at_one_instant_have_a_fixed_order():
    """A boundary, a top-up, a run and a cancellation at the same instant: the boundary is crossed first."""
    [user] = people(1)
    pay_in(user, 990_00, at=NOON)
    with books.open(user, "RUB", now=NOON) as book:
        subscription = book.subscribe(basic())
    assert billing_run.run_due(now=APRIL).books == 1
    subscription.refresh_from_db()
    assert subscription.status == "suspended"
    pay_in(user, 990_00, at=APRIL)
    with books.open(user, "RUB", now=APRIL) as book:
        book.cancel(subscription, when="now", refund_unused=True)
    assert billing_run.run_due(now=APRIL) == billing_run.Run()
    assert [row[0] for row in lines(user)] == ["top_up", "charge", "top_up", "charge", "unused_refund"]
    assert balance(user) == 990_00
    changes = Event.objects.filter(customer=user, effective_at=APRIL).order_by("id").values_list("type", flat=True)
    assert list(changes) == ["subscription.suspended", "subscription.activated", "subscription.cancelled"]
    assert broken_rules() == []
