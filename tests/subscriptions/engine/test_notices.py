"""The low-balance notices 72, 24 and 1 hours before the wallet runs short, through the tables."""

from datetime import datetime

import pytest

from accounts.models import User
from events.models import Event
from subscriptions import billing_run, books
from subscriptions.models import BillingClock, Subscription
from tests.subscriptions.bank import HOUR, NOON, at, basic, hourly, settle
from tests.subscriptions.shop import pay_in, sell

pytestmark = pytest.mark.django_db


def notices(user: User) -> list[tuple]:
    rows = Event.objects.filter(customer=user, type="wallet.low_balance").order_by("id")
    return [(row.data["hours"], row.effective_at) for row in rows]


def using(user: User, money: int, *prices) -> list[Subscription]:
    pay_in(user, money, at=NOON)
    with books.open(user, "RUB", now=NOON) as book:
        return [book.subscribe(price) for price in prices]


def ticks(until: datetime) -> None:
    """Run billing one minute after each full hour at which the book is due, up to `until`."""
    while (due := BillingClock.objects.get().due_at) is not None:
        now = due.replace(minute=1, second=0, microsecond=0)
        now += HOUR if now < due else 0 * HOUR
        if now > until:
            return
        assert billing_run.run_due(now=now).books == 1


def test_three_notices_are_sent_before_metered_use_ends(alice):
    # 360.00 at 3.60 an hour last 100 hours.
    [subscription] = using(alice, 360_00, hourly())
    end = at(hours=100)
    ticks(at(hours=102))
    told = notices(alice)
    assert [hours for hours, _ in told] == [72, 24, 1]
    # Each notice is saved by the first tick after its instant, less than an hour later.
    for hours, when in told:
        assert end - hours * HOUR <= when < end - (hours - 1) * HOUR
    event = Event.objects.filter(type="wallet.low_balance").earliest("id")
    assert event.data == {
        "hours": 72,
        "ends_at": "2026-03-05T16:00:00.000000Z",
        "subscriptions": [subscription.public_id],
    }
    assert event.subject == "RUB"


def test_notices_are_sent_before_an_unfunded_renewal(alice):
    using(alice, 1500_00, basic())
    ticks(at(days=32))
    end = NOON.replace(month=4)
    assert [hours for hours, _ in notices(alice)] == [72, 24, 1]
    for hours, when in notices(alice):
        assert end - hours * HOUR <= when <= end - hours * HOUR + HOUR


def test_notices_are_about_the_first_renewal_that_cannot_be_paid(alice):
    """On 1 April the wallet can pay the first plan; twelve hours later it cannot pay the second."""
    first = sell("first", RUB=500_00)["RUB"]
    second = sell("second", RUB=600_00)["RUB"]
    using(alice, 1100_00 + 900_00, first)
    with books.open(alice, "RUB", now=at(hours=12)) as book:
        book.subscribe(second)
    # 2000 - 500 - 600 = 900; less 500 on 1 April is 400, and 600 is due half a day later.
    ticks(at(days=33))
    end = NOON.replace(month=4) + 12 * HOUR
    assert [hours for hours, _ in notices(alice)] == [72, 24, 1]
    assert notices(alice)[0][1] - (end - 72 * HOUR) <= HOUR


def test_a_funded_wallet_gets_no_notice(alice):
    using(alice, 5000_00, basic())
    ticks(at(days=40))
    assert notices(alice) == []


def test_a_cancelled_subscription_gets_no_notice(alice):
    using(alice, 990_00, basic())
    with books.open(alice, "RUB", now=at(days=1)) as book:
        book.cancel(Subscription.objects.get())
    ticks(at(days=32))
    assert (notices(alice), Subscription.objects.get().status) == ([], "cancelled")


def test_a_wallet_already_short_gets_only_the_tightest_notice(alice):
    # 7.20 lasts two hours: the 72 and 24 hour notices are overdue, the 1 hour notice is to come.
    using(alice, 7_20, hourly())
    assert notices(alice) == [(24, NOON)]
    settle(alice, at(hours=1, minutes=30))
    assert [hours for hours, _ in notices(alice)] == [24, 1]


def test_notices_are_sent_again_after_a_top_up(alice):
    using(alice, 360_00, hourly())
    ticks(at(hours=99, minutes=30))
    assert [hours for hours, _ in notices(alice)] == [72, 24, 1]
    pay_in(alice, 360_00, at=at(hours=99, minutes=40))
    assert len(notices(alice)) == 3
    ticks(at(hours=202))
    assert [hours for hours, _ in notices(alice)] == [72, 24, 1, 72, 24, 1]


def test_a_small_top_up_does_not_repeat_the_notice(alice):
    using(alice, 100_00, hourly())
    assert [hours for hours, _ in notices(alice)] == [72]
    pay_in(alice, 1_00, at=at(hours=1))
    settle(alice, at(hours=2))
    assert [hours for hours, _ in notices(alice)] == [72]


def test_repeated_or_missing_ticks_do_not_add_notices(alice):
    using(alice, 360_00, hourly())
    for _ in range(3):
        settle(alice, at(hours=40))
    settle(alice, at(hours=99, minutes=50))
    # No tick came 24 hours before; only the notice in force is sent.
    assert [hours for hours, _ in notices(alice)] == [72, 1]


def test_a_book_without_costs_gets_no_notice(alice):
    using(alice, 100_00, sell("free", RUB=0)["RUB"], hourly(0, "gratis"))
    assert notices(alice) == []
