"""GET /api/wallet/: how long the money lasts, and which subscriptions end then."""

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


def test_metered_use_ends_when_the_next_kopeck_is_not_covered(
    alice: User, time_machine: time_machine.TimeMachineFixture
) -> None:
    pay_in(alice, 24_00)
    vm = order(alice, "vm")
    # 24.00 last 24 hours: the kopeck for what comes next would be charged then.
    end = {"ends_at": "2026-03-02T00:00:00Z", "ends": [{"subscription": vm, "plan": "vm"}]}
    assert runway(alice) == {**end, "hours_left": 24}
    # The answer is the same at any later moment, whether or not a worker has run.
    time_machine.move_to(START + timedelta(hours=23, minutes=30), tick=False)
    assert runway(alice) == {**end, "hours_left": 0}
    billing_run.run_due(now=START + timedelta(hours=23, minutes=30))
    assert runway(alice) == {**end, "hours_left": 0}
    time_machine.move_to(START + timedelta(hours=25), tick=False)
    assert runway(alice) is None


def test_the_money_ends_at_the_first_unpaid_renewal(alice: User) -> None:
    pay_in(alice, 250_00)
    basic = order(alice, "basic")
    # 151.00 are left: April is paid, May is not. 61 days.
    assert runway(alice) == {
        "ends_at": "2026-05-01T00:00:00Z", "hours_left": 61 * 24, "ends": [{"subscription": basic, "plan": "basic"}],
    }  # fmt: skip


def test_the_money_ends_where_a_grace_period_begins(alice: User) -> None:
    pay_in(alice, 99_00)
    weak = order(alice, "weak")
    assert runway(alice)["ends"] == [{"subscription": weak, "plan": "weak"}]
    assert runway(alice)["ends_at"] == "2026-04-01T00:00:00Z"


def test_all_subscriptions_that_end_at_that_moment_are_named(alice: User) -> None:
    pay_in(alice, 24_00)
    first, second = order(alice, "vm"), order(alice, "vm", quantity=3)
    # 24.00 at 4.00 an hour last 6 hours, and both need their next kopeck then.
    assert runway(alice) == {
        "ends_at": "2026-03-01T06:00:00Z", "hours_left": 6,
        "ends": [{"subscription": first, "plan": "vm"}, {"subscription": second, "plan": "vm"}],
    }  # fmt: skip


def test_a_scheduled_plan_is_the_one_named(alice: User) -> None:
    pay_in(alice, 99_00)
    basic = order(alice, "basic")
    client(alice).patch(f"/api/subscriptions/{basic}", {"plan": "weak", "when": "period_end"})
    assert runway(alice)["ends"] == [{"subscription": basic, "plan": "weak"}]


@pytest.mark.parametrize(("money", "plan", "renews"), [(99_00, "basic", False), (1_00, "free", True)])
def test_there_is_no_end_without_further_charges(alice: User, money: int, plan: str, renews: bool) -> None:
    pay_in(alice, money)
    order(alice, plan, auto_renew=renews)
    assert runway(alice) is None


def test_an_end_more_than_a_year_ahead_is_not_reported(alice: User) -> None:
    # 13 months from 1 March end on 1 April of the next year; 12 months end within 365 days.
    pay_in(alice, 13 * 99_00)
    order(alice, "basic")
    assert runway(alice) is None
    with books.open(alice, "RUB", now=START) as book:
        book.withdraw(99_00, key="out", to="gateway_clearing:sandbox")
    assert runway(alice)["ends_at"] == "2027-03-01T00:00:00Z"


def test_each_currency_has_its_own_runway(alice: User, mallory: User) -> None:
    pay_in(alice, 24_00)
    pay_in(alice, 5_00, "EUR")
    order(alice, "vm")
    assert runway(alice)["hours_left"] == 24
    assert runway(alice, "EUR") is None
    pay_in(mallory, 1_00)
    assert runway(mallory) is None


def test_hourly_advance_payments_are_followed_for_months(alice: User) -> None:
    sell("seat", RUB=1_00, interval="hour")
    pay_in(alice, 100 * 24_00)
    order(alice, "seat")
    # The money pays for 2400 hours, one after the other.
    assert (runway(alice)["ends_at"], runway(alice)["hours_left"]) == ("2026-06-09T00:00:00Z", 2400)


def test_a_debt_is_shown_until_it_is_paid(alice: User, time_machine: time_machine.TimeMachineFixture) -> None:
    pay_in(alice, 109_00)
    pay_in(alice, 5_00, "EUR")
    order(alice, "weak")
    # The grace from 1 to 4 April costs 99.00 x 3 / 30 = 9.90, which the 10.00 left pay.
    time_machine.move_to(START + timedelta(days=35), tick=False)
    assert money(alice) == {"EUR": ("5.00", "5.00", "0.00"), "RUB": ("10.00", "0.10", "0.00")}
    with books.open(alice, "RUB", now=START + timedelta(days=35)) as book:
        book.lose_dispute(99_00, key="lost")
    assert money(alice) == {"EUR": ("5.00", "5.00", "0.00"), "RUB": ("0.00", "0.00", "98.90")}
    pay_in(alice, 100_00, at=START + timedelta(days=35))
    assert money(alice)["RUB"] == ("1.10", "1.10", "0.00")


def money(user: User) -> dict[str, tuple[str, str, str]]:
    wallets = client(user).get("/api/wallet/").json()["results"]
    return {each["currency"]: (each["balance"], each["available"], each["debt"]) for each in wallets}


def test_the_runway_takes_few_queries_for_many_subscriptions(alice: User, django_assert_max_num_queries: Any) -> None:
    pay_in(alice, 24_00)
    for _ in range(10):
        order(alice, "vm")
    browser = client(alice)
    browser.get("/api/wallet/")
    # Two for the rate limits, wallets, five for the book, rows, prices with their plans.
    with django_assert_max_num_queries(11):
        assert len(browser.get("/api/wallet/").json()["results"][0]["runway"]["ends"]) == 10


def test_the_forecast_of_one_wallet(alice: User) -> None:
    pay_in(alice, 24_00)
    order(alice, "vm")
    now = START + timedelta(hours=4)
    outlook = forecast.of(overview.peek(alice, "RUB", now=now), now=now)
    assert outlook is not None
    assert (outlook.hours_left, [each.price.plan.code for each in outlook.ends]) == (20, ["vm"])
