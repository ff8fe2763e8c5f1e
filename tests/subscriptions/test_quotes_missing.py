"""The amount that a refused change or start names is enough, whatever else the payment revives. Worked out by hand."""

from datetime import timedelta

import pytest

from accounts.models import User
from subscriptions import books, orders, quotes
from subscriptions.models import Subscription
from subscriptions.refusals import Refused
from tests.subscriptions.bank import HOUR, NOON, at, balance, do, hourly, settle
from tests.subscriptions.shop import pay_in, sell

pytestmark = pytest.mark.django_db
MARCH = timedelta(days=31)


def owe(user: User, amount: int) -> None:
    with books.open(user, "RUB", now=NOON) as book:
        book.lose_dispute(amount, key="dispute:1")


def missing(row: Subscription, quantity: int, now=NOON) -> int:
    """Return what is missing for a quote of this quantity, in minor units."""
    with pytest.raises(Refused) as error:
        quotes.make(row, row.price, now=now, quantity=quantity)
    return int(error.value.extra["missing"]["value"].replace(".", ""))


def statuses(*rows: Subscription) -> list[str]:
    for row in rows:
        row.refresh_from_db()
    return [row.status for row in rows]


@pytest.fixture
def yearly(alice: User) -> Subscription:
    """A year for 365.00, bought at NOON: a second seat costs as much then."""
    pay_in(alice, 365_00, at=NOON)
    return orders.subscribe(alice, sell("yearly", RUB=365_00, interval="year")["RUB"], now=NOON)


def test_a_larger_quantity_counts_the_debt(alice, yearly):
    """The debt stays when the plan it came from has been paid for: the dispute takes no unused time of a paused one."""
    do(alice, NOON, lambda book: book.pause(yearly))
    owe(alice, 50_00)
    do(alice, NOON, lambda book: book.resume(yearly))
    assert missing(yearly, 2) == 415_00
    pay_in(alice, 415_00, at=NOON)
    quotes.accept(quotes.make(yearly, yearly.price, now=NOON, quantity=2), now=NOON)
    assert balance(alice) == 0


def test_what_is_missing_counts_a_suspended_plan_that_the_payment_starts_first(alice, yearly):
    """A month for 31.00 ended on 1 April. 334 of 365 days of the year are left, worth 334.00, and it starts again."""
    pay_in(alice, 31_00, at=NOON)
    other = orders.subscribe(alice, sell("monthly", RUB=31_00)["RUB"], now=NOON)
    settle(alice, NOON + MARCH)
    assert statuses(other) == ["suspended"]
    assert missing(yearly, 2, NOON + MARCH) == 365_00
    pay_in(alice, 365_00, at=NOON + MARCH)
    quote = quotes.make(yearly, yearly.price, now=NOON + MARCH, quantity=2)
    quotes.accept(quote, now=NOON + MARCH)
    assert (statuses(other), balance(alice)) == (["active"], 0)


def test_a_suspended_plan_that_the_payment_cannot_start_is_not_counted(alice, yearly):
    pay_in(alice, 400_00, at=NOON)
    orders.subscribe(alice, sell("dear", RUB=400_00)["RUB"], now=NOON)
    settle(alice, NOON + MARCH)
    assert missing(yearly, 2, NOON + MARCH) == 334_00


def test_what_is_missing_counts_an_hour_of_the_meters_that_run_again(alice, yearly):
    """A server of 5.00 an hour ran dry after an hour."""
    pay_in(alice, 5_00, at=NOON)
    server = orders.subscribe(alice, hourly(5_00), now=NOON)
    settle(alice, at(hours=2))
    assert statuses(server) == ["suspended"]
    # 364 days 22 hours of 365 are left: 364.9166..., rounded up.
    assert missing(yearly, 2, at(hours=2)) == 364_92 + 5_00
    pay_in(alice, 369_92, at=at(hours=2))
    assert quotes.make(yearly, yearly.price, now=at(hours=3), quantity=2).total == -364_88


def test_what_is_missing_counts_a_renewal_within_the_hour(alice, yearly):
    """A month for 31.00 is renewed half an hour from now, out of the 31.00 on the balance."""
    pay_in(alice, 62_00, at=NOON)
    orders.subscribe(alice, sell("monthly", RUB=31_00)["RUB"], now=NOON)
    now = NOON + MARCH - HOUR / 2
    amount = missing(yearly, 2, now)
    # Right after the renewal 334 of 365 days are left, and nothing on the balance.
    assert amount == 334_00
    settle(alice, NOON + MARCH)
    pay_in(alice, amount, at=NOON + MARCH)
    assert quotes.make(yearly, yearly.price, now=NOON + MARCH, quantity=2).total == -334_00


def test_a_start_from_the_balance_names_what_a_suspended_plan_takes_first(alice):
    pay_in(alice, 31_00, at=NOON)
    other = orders.subscribe(alice, sell("monthly", RUB=31_00)["RUB"], now=NOON)
    then = NOON + MARCH
    do(alice, then, lambda book: book.subscribe(sell("basic", RUB=299_00)["RUB"], is_checkout=True))
    order = Subscription.objects.latest("pk")
    with pytest.raises(Refused) as error:
        orders.start(order, now=then)
    assert error.value.extra["missing"] == {"value": "330.00", "currency": "RUB"}
    pay_in(alice, 330_00, at=then)
    orders.start(order, now=then)
    assert (statuses(other, order), balance(alice)) == (["active", "active"], 0)
