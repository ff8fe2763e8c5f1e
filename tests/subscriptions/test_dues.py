"""What a subscription that waits for money is asked to pay. The figures are worked out by hand."""

from datetime import timedelta

import pytest

from accounts.models import User
from subscriptions import books, dues, orders, overview
from subscriptions.dues import Dues
from subscriptions.models import Price, Subscription
from subscriptions.refusals import Refused
from tests.subscriptions.bank import NOON, at, do, hourly
from tests.subscriptions.shop import pay_in, sell

pytestmark = pytest.mark.django_db
FEBRUARY = timedelta(days=28)


def asked(row: Subscription, *, now=NOON) -> Dues:
    row = Subscription.objects.select_related("customer", "price").get(pk=row.pk)
    found = dues.one(overview.peek(row.customer, row.price.currency, now=now), row)
    assert found is not None
    return found


def suspended(user: User, price: Price) -> Subscription:
    """Return a subscription that ran for the 28 days up to NOON and could not renew."""
    pay_in(user, price.amount, at=NOON - FEBRUARY)
    row = orders.subscribe(user, price, now=NOON - FEBRUARY)
    with books.open(user, price.currency, now=NOON):
        pass
    row.refresh_from_db()
    assert row.status == "suspended"
    return row


@pytest.mark.parametrize(("amount", "to_pay"), [(299_00, 214_00), (199_00, 114_00)])
def test_a_suspended_plan_asks_for_what_is_missing_and_an_hour_of_the_meters(
    alice: User, amount: int, to_pay: int
) -> None:
    """Ten servers of 1.50 an hour use 15.00 in an hour: 299.00 - 100.00 + 15.00 = 214.00."""
    row = suspended(alice, sell("basic", RUB=amount)["RUB"])
    server = hourly(1_50)
    pay_in(alice, 100_00, at=NOON)
    do(alice, NOON, *[lambda book: book.subscribe(server) for _ in range(10)])
    found = asked(row)
    assert (found.due, found.use, found.from_balance, found.amount) == (amount, 15_00, 100_00, to_pay)


def test_a_refused_start_of_a_suspended_plan_names_the_amount_that_is_asked(alice: User) -> None:
    """Not 199.00, with which it would start and the ten servers stop within an hour."""
    row = suspended(alice, sell("basic", RUB=299_00)["RUB"])
    server = hourly(1_50)
    pay_in(alice, 100_00, at=NOON)
    do(alice, NOON, *[lambda book: book.subscribe(server) for _ in range(10)])
    with pytest.raises(Refused) as error:
        orders.start(row, now=NOON)
    assert error.value.extra["missing"] == {"value": "214.00", "currency": "RUB"}


def test_with_this_money_the_plan_starts_and_the_meters_run_for_an_hour(alice: User) -> None:
    row = suspended(alice, sell("basic", RUB=299_00)["RUB"])
    server = hourly(1_50)
    pay_in(alice, 100_00, at=NOON)
    do(alice, NOON, *[lambda book: book.subscribe(server) for _ in range(10)])
    # The payment arrives after three quarters of an hour.
    pay_in(alice, 214_00, at=at(minutes=45))
    row.refresh_from_db()
    assert row.status == "active"
    # Each server has used 112.5 kopecks and paid for the 113th: 100.00 + 214.00 - 299.00 - 11.30 = 3.70.
    assert overview.peek(alice, "RUB", now=at(minutes=45)).available == 3_70


def test_suspended_meters_count_because_they_run_again_with_this_money(alice: User) -> None:
    row = suspended(alice, sell("basic", RUB=299_00)["RUB"])
    server = hourly(60_00)
    pay_in(alice, 60_00, at=NOON)
    do(alice, NOON, lambda book: book.subscribe(server))
    later = at(hours=2)
    assert overview.peek(alice, "RUB", now=later).available == 0
    # The server ran dry after an hour. 299.00 + 60.00 for another one.
    assert asked(row, now=later).amount == 359_00


@pytest.mark.parametrize(("rate", "to_pay"), [(3_60, 100_00), (250_00, 250_00)])
def test_a_suspended_meter_asks_for_an_interval_and_at_least_what_gateways_take(
    alice: User, rate: int, to_pay: int
) -> None:
    pay_in(alice, rate, at=NOON)
    row = orders.subscribe(alice, hourly(rate), now=NOON)
    found = asked(row, now=at(hours=2))
    assert (found.due, found.amount) == (rate, to_pay)
    assert found.rounding == to_pay - rate


def test_a_payment_is_raised_to_what_gateways_take(alice: User) -> None:
    row = suspended(alice, sell("basic", RUB=299_00)["RUB"])
    pay_in(alice, 250_00, at=NOON)
    # 49.00 are missing, and the smallest payment is 100.00.
    assert asked(row).amount == 100_00
    assert asked(row).rounding == 51_00


@pytest.mark.parametrize("balance", [0, 100_00, 1000_00])
def test_an_order_asks_for_its_whole_price_whatever_the_balance(alice: User, balance: int) -> None:
    price = sell("basic", RUB=299_00)["RUB"]
    if balance:
        pay_in(alice, balance, at=NOON)
    do(alice, NOON, lambda book: book.subscribe(price, is_checkout=True))
    row = Subscription.objects.get()
    found = asked(row)
    assert (row.status, found.amount, found.from_balance) == ("pending", 299_00, 0)
    # Who has the money may start it from the balance instead.
    assert found.can_start is (balance >= 299_00)


def owe(user: User, amount: int) -> None:
    with books.open(user, "RUB", now=NOON) as book:
        book.lose_dispute(amount, key="dispute:1")


def test_an_order_asks_for_the_debt_too(alice: User) -> None:
    price = sell("basic", RUB=299_00)["RUB"]
    owe(alice, 50_00)
    do(alice, NOON, lambda book: book.subscribe(price, is_checkout=True))
    found = asked(Subscription.objects.get())
    assert (found.due, found.debt, found.amount) == (299_00, 50_00, 349_00)


def test_a_suspended_plan_asks_for_the_debt_too(alice: User) -> None:
    row = suspended(alice, sell("basic", RUB=299_00)["RUB"])
    owe(alice, 50_00)
    assert asked(row).amount == 349_00
    pay_in(alice, 349_00, at=NOON)
    row.refresh_from_db()
    assert row.status == "active"
    assert overview.peek(alice, "RUB", now=NOON).available == 0


def test_a_renewal_in_its_grace_asks_for_what_the_balance_lacks(alice: User) -> None:
    price = sell("basic", RUB=299_00, grace_days=3)["RUB"]
    pay_in(alice, 299_00, at=NOON - FEBRUARY)
    row = orders.subscribe(alice, price, now=NOON - FEBRUARY)
    pay_in(alice, 120_00, at=NOON - FEBRUARY)
    later = at(days=1)
    assert overview.peek(alice, "RUB", now=later).status_of(row) == "past_due"
    found = asked(row, now=later)
    assert (found.amount, found.can_start) == (179_00, False)


def test_a_running_subscription_is_asked_for_nothing(alice: User) -> None:
    pay_in(alice, 299_00, at=NOON)
    row = orders.subscribe(alice, sell("basic", RUB=299_00)["RUB"], now=NOON)
    assert dues.one(overview.peek(alice, "RUB", now=NOON), row) is None


def test_an_order_with_a_trial_starts_without_money(alice: User) -> None:
    """A debt stood in the way of the trial when it was ordered. Now it is paid."""
    price = sell("basic", RUB=299_00, trial_days=7)["RUB"]
    owe(alice, 50_00)
    row = orders.subscribe(alice, price, now=NOON)
    assert asked(row).amount == 349_00
    pay_in(alice, 50_00, at=NOON)
    found = asked(row)
    assert (found.amount, found.can_start) == (0, True)
    orders.start(row, now=NOON)
    row.refresh_from_db()
    assert row.status == "trialing"


@pytest.fixture
def older_and_past_due(alice: User) -> tuple[Subscription, Subscription]:
    """Two plans of 500.00 a month that could not renew at NOON: the older is suspended, the newer in its grace."""
    pay_in(alice, 1000_00, at=NOON - FEBRUARY)
    prices = sell("older", RUB=500_00)["RUB"], sell("newer", RUB=500_00, grace_days=5)["RUB"]
    older, newer = (orders.subscribe(alice, price, now=NOON - FEBRUARY) for price in prices)
    return older, newer


def statuses(*rows: Subscription) -> list[str]:
    for row in rows:
        row.refresh_from_db()
    return [row.status for row in rows]


def test_a_past_due_plan_asks_for_what_an_older_suspended_one_takes_first(alice: User, older_and_past_due) -> None:
    found = asked(older_and_past_due[1], now=at(hours=1))
    assert (found.due, found.older, found.amount, found.rounding) == (500_00, 500_00, 1000_00, 0)
    with books.open(alice, "RUB", now=at(hours=1)) as book:
        book.top_up(1000_00, key="paid", source="gateway_clearing:sandbox", first=older_and_past_due[1])
    assert statuses(*older_and_past_due) == ["active", "active"]


def test_what_a_suspended_plan_asks_is_spent_on_it_first(alice: User, older_and_past_due) -> None:
    found = asked(older_and_past_due[0], now=at(hours=1))
    assert (found.older, found.amount) == (0, 500_00)


def test_an_older_plan_that_the_payment_cannot_start_takes_nothing(alice: User) -> None:
    weekly = sell("weekly", RUB=200_00, interval="week", grace_days=5)["RUB"]
    pay_in(alice, 500_00, at=NOON - FEBRUARY)
    orders.subscribe(alice, sell("dear", RUB=500_00)["RUB"], now=NOON - FEBRUARY)
    pay_in(alice, 200_00, at=at(days=-7))
    newer = orders.subscribe(alice, weekly, now=at(days=-7))
    found = asked(newer, now=at(hours=1))
    assert (found.older, found.amount) == (0, 200_00)


def test_what_gateways_take_at_least_may_start_an_older_plan_too(alice: User) -> None:
    """60.00 would do, but the smallest payment of 100.00 starts the older plan for 80.00: 140.00 pay for both."""
    weekly = sell("weekly", RUB=60_00, interval="week", grace_days=5)["RUB"]
    pay_in(alice, 80_00, at=NOON - FEBRUARY)
    older = orders.subscribe(alice, sell("older", RUB=80_00)["RUB"], now=NOON - FEBRUARY)
    pay_in(alice, 60_00, at=at(days=-7))
    newer = orders.subscribe(alice, weekly, now=at(days=-7))
    found = asked(newer, now=at(hours=1))
    assert (found.older, found.amount, found.rounding) == (80_00, 140_00, 0)
    pay_in(alice, 140_00, at=at(hours=1))
    assert statuses(older, newer) == ["active", "active"]
