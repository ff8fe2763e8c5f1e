"""GET /api/wallet/: how long the money lasts, and what ends then."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine

from accounts.models import User
from subscriptions import billing_run, books, forecast, overview
from tests.subscriptions.shop import START, client, pay_in, sell

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _shop(time_machine: time_machine.TimeMachineFixture) -> None:
    time_machine.move_to(START, tick=False)
    sell("basic", RUB=99_00, EUR=1_00)
    sell("weak", RUB=99_00, grace_days=3)
    sell("vm", RUB=1_00, interval="hour", metered=True)
    sell("free", RUB=0)


def order(user: User, plan: str, **more: Any) -> str:
    made = client(user).post("/api/subscriptions/", {"plan": plan, "currency": "RUB", **more})
    assert made.status_code == 201, made.json()
    return str(made.json()["id"])


def runway(user: User, currency: str = "RUB") -> Any:
    wallets = {each["currency"]: each for each in client(user).get("/api/wallet/").json()["results"]}
    return wallets[currency]["runway"]


def test_metered_use_ends_where_the_next_unit_does_not_fit(
    alice: User, time_machine: time_machine.TimeMachineFixture
) -> None:
    pay_in(alice, 24_00)
    vm = order(alice, "vm")
    # 24.00 last 24 hours, and the next kopeck is owed 36 seconds later.
    end = {"ends_at": "2026-03-02T00:00:35.999999Z", "ends": [{"subscription": vm, "plan": "vm"}]}
    assert runway(alice) == {**end, "hours_left": 24}
    # The same from any later instant, whether or not a worker has written anything.
    time_machine.move_to(START + timedelta(hours=23, minutes=30), tick=False)
    assert runway(alice) == {**end, "hours_left": 0}
    billing_run.run_due(now=START + timedelta(hours=23, minutes=30))
    assert runway(alice) == {**end, "hours_left": 0}
    time_machine.move_to(START + timedelta(hours=25), tick=False)
    assert runway(alice) is None


def test_a_renewal_that_cannot_be_paid_is_the_end(alice: User) -> None:
    pay_in(alice, 250_00)
    basic = order(alice, "basic")
    # 151.00 are left: April is paid, May is not. 61 days.
    assert runway(alice) == {
        "ends_at": "2026-05-01T00:00:00Z", "hours_left": 61 * 24, "ends": [{"subscription": basic, "plan": "basic"}],
    }  # fmt: skip


def test_falling_into_grace_is_the_end_of_the_money_too(alice: User) -> None:
    pay_in(alice, 99_00)
    weak = order(alice, "weak")
    assert runway(alice)["ends"] == [{"subscription": weak, "plan": "weak"}]
    assert runway(alice)["ends_at"] == "2026-04-01T00:00:00Z"


def test_everything_that_ends_at_that_instant_is_named(alice: User) -> None:
    pay_in(alice, 24_00)
    first, second = order(alice, "vm"), order(alice, "vm", quantity=3)
    # 4.00 an hour: 6 hours. 2400 kopecks are owed then; the second owes its next one 12 s later, the first after 36.
    assert runway(alice) == {
        "ends_at": "2026-03-01T06:00:11.999999Z", "hours_left": 6,
        "ends": [{"subscription": first, "plan": "vm"}, {"subscription": second, "plan": "vm"}],
    }  # fmt: skip


def test_the_plan_named_is_the_one_it_will_have_by_then(alice: User) -> None:
    pay_in(alice, 99_00)
    basic = order(alice, "basic")
    client(alice).patch(f"/api/subscriptions/{basic}", {"plan": "weak", "when": "period_end"})
    assert runway(alice)["ends"] == [{"subscription": basic, "plan": "weak"}]


@pytest.mark.parametrize(("money", "plan", "renews"), [(99_00, "basic", False), (1_00, "free", True)])
def test_what_needs_no_more_money_has_no_end(alice: User, money: int, plan: str, renews: bool) -> None:
    pay_in(alice, money)
    order(alice, plan, auto_renew=renews)
    assert runway(alice) is None


def test_more_than_a_year_is_no_end_in_sight(alice: User) -> None:
    # 13 months from 1 March end on 1 April of the next year; 12 end within 365 days.
    pay_in(alice, 13 * 99_00)
    order(alice, "basic")
    assert runway(alice) is None
    with books.open(alice, "RUB", now=START) as book:
        book.withdraw(99_00, key="out", to="gateway_clearing:sandbox")
    assert runway(alice)["ends_at"] == "2027-03-01T00:00:00Z"


def test_each_currency_has_its_own_and_an_empty_wallet_none(alice: User, mallory: User) -> None:
    pay_in(alice, 24_00)
    pay_in(alice, 5_00, "EUR")
    order(alice, "vm")
    assert runway(alice)["hours_left"] == 24
    assert runway(alice, "EUR") is None
    pay_in(mallory, 1_00)
    assert runway(mallory) is None


def test_an_hourly_payment_is_followed_for_months(alice: User) -> None:
    sell("seat", RUB=1_00, interval="hour")
    pay_in(alice, 100 * 24_00)
    order(alice, "seat")
    # 2400 hours are paid, one after the other.
    assert (runway(alice)["ends_at"], runway(alice)["hours_left"]) == ("2026-06-09T00:00:00Z", 2400)


def test_reading_it_writes_nothing_and_costs_the_same_for_many(alice: User, django_assert_max_num_queries: Any) -> None:
    pay_in(alice, 24_00)
    for _ in range(10):
        order(alice, "vm")
    browser = client(alice)
    browser.get("/api/wallet/")
    # Two for the rates, wallets, the book in five, rows, prices with their plans.
    with django_assert_max_num_queries(11):
        assert len(browser.get("/api/wallet/").json()["results"][0]["runway"]["ends"]) == 10


def test_one_book_may_be_asked_alone(alice: User) -> None:
    pay_in(alice, 24_00)
    order(alice, "vm")
    now = START + timedelta(hours=4)
    found = forecast.of(overview.peek(alice, "RUB", now=now), now=now)
    assert found is not None
    assert (found.hours_left, [each.price.plan.code for each in found.ends]) == (20, ["vm"])
