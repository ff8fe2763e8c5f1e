"""Figures by day: revenue, cash and MRR, each worked out by hand, and the roll-up of closed days.

Prices are chosen so that a day costs whole kopecks: 31 roubles a month of 31 days are 100 kopecks a day.
"""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from subscriptions import books, daily, mrr
from subscriptions.daily import Figure
from subscriptions.models import DailyFigure
from tests.subscriptions.bank import hourly, settle
from tests.subscriptions.shop import pay_in, sell

pytestmark = pytest.mark.django_db


def on(month: int, day: int, hour: int = 0) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def plan(code: str = "basic", amount: int = 31_00, **terms: Any) -> Any:
    return sell(code, RUB=amount, **terms)["RUB"]


def open_book(customer, now: datetime):
    return books.open(customer, "RUB", now=now)


def begin(customer, at: datetime, price, money: int = 1000_00, **terms: Any):
    """Pay money in and subscribe."""
    if money:
        pay_in(customer, money, at=at)
    with open_book(customer, at) as book:
        return book.subscribe(price, **terms)


def total(since: datetime, until: datetime, currency: str = "RUB") -> Figure:
    """Return the figures of a span together, worked out from the rows."""
    found = Figure()
    for (_, its_currency), figure in daily.compute(since=since, until=until).items():
        if its_currency == currency:
            found.add(figure)
    return found


def test_an_empty_database_has_no_figures():
    assert daily.compute(since=daily.BEGINNING, until=on(3, 1)) == {}
    assert daily.roll_up(now=on(3, 1)) == 0
    assert daily.by_currency(now=on(3, 1)) == {}
    assert mrr.at_present() == {}


def test_a_period_is_earned_evenly_over_both_months_that_it_covers(alice):
    """31 days from 21 March, 12:00: 10.5 days are in March, 20.5 in April. 100 kopecks a day."""
    begin(alice, on(3, 21, 12), plan(), auto_renew=False)
    assert total(on(3, 1), on(4, 1)).plans == 1050
    assert total(on(4, 1), on(5, 1)).plans == 2050
    first = daily.compute(since=on(3, 1), until=on(4, 1))[date(2026, 3, 21), "RUB"]
    assert [first.plans, first.usage] == [50, 0]


def test_only_what_is_earned_by_now_counts_today(alice):
    begin(alice, on(3, 21, 12), plan())
    assert total(on(3, 22), on(3, 22, 6)).plans == 25


def test_unused_time_that_is_given_back_is_not_earned(alice):
    subscription = begin(alice, on(3, 1), plan())
    with open_book(alice, on(3, 11)) as book:
        book.cancel(subscription, when="now", refund_unused=True)
    assert total(on(3, 1), on(6, 1)).plans == 1000
    assert total(on(3, 1), on(3, 11)).plans == 1000


def test_what_a_cancellation_keeps_is_earned_when_the_subscription_ends(alice):
    subscription = begin(alice, on(3, 1), plan())
    with open_book(alice, on(3, 11, 6)) as book:
        book.cancel(subscription, when="now", refund_unused=False)
    last = daily.compute(since=on(3, 1), until=on(6, 1))[date(2026, 3, 11), "RUB"]
    assert last.plans == 2100
    assert total(on(3, 1), on(6, 1)).plans == 3100


def test_a_pause_moves_what_is_earned(alice):
    """Ten days served, paused for twenty, then the other 21 days from 31 March."""
    subscription = begin(alice, on(3, 1), plan(), auto_renew=False)
    with open_book(alice, on(3, 11)) as book:
        book.pause(subscription)
    with open_book(alice, on(3, 31)) as book:
        book.resume(subscription)
    assert total(on(3, 1), on(3, 31)).plans == 1000
    assert total(on(3, 31), on(6, 1)).plans == 2100


def test_a_smaller_quantity_earns_less_from_then_on(alice):
    """Two seats for ten days, one for 21: 20.00 + 21.00, although the second charge is for nothing."""
    subscription = begin(alice, on(3, 1), plan(), quantity=2, auto_renew=False)
    with open_book(alice, on(3, 11)) as book:
        book.change_quantity(subscription, 1)
    assert total(on(3, 1), on(3, 11)).plans == 2000
    assert total(on(3, 11), on(4, 1)).plans == 2100


def test_metered_use_is_usage_and_no_mrr(alice):
    """3.60 an hour, ten hours over midnight: six on the first day, four on the next."""
    begin(alice, on(3, 1, 18), hourly())
    settle(alice, on(3, 2, 4))
    days = daily.compute(since=on(3, 1), until=on(3, 3))
    assert [days[date(2026, 3, day), "RUB"].usage for day in (1, 2)] == [6 * 360, 4 * 360]
    assert {figure.new for figure in days.values()} == {0}
    assert mrr.at_present() == {}


def test_cash_comes_in_and_goes_out_and_raises_what_we_owe(alice):
    begin(alice, on(3, 1), plan(), 100_00, auto_renew=False)
    with open_book(alice, on(3, 2)) as book:
        book.withdraw(20_00, key="out:1", to="gateway_clearing:sandbox", reason="refund")
    first, second = (daily.compute(since=on(3, 1), until=on(3, 5))[date(2026, 3, day), "RUB"] for day in (1, 2))
    assert (first.cash_in, first.cash_out, first.wallets) == (100_00, 0, 69_00)
    assert (second.cash_in, second.cash_out, second.wallets) == (0, 20_00, -20_00)


def test_each_movement_of_the_mrr(alice, mallory):
    """Alice: new, a second seat, one seat again, cancelled, back. Mallory: 120.00 a year, which is 10.00 a month."""
    basic = plan()
    subscription = begin(alice, on(3, 1), basic)
    begin(mallory, on(3, 2), plan("yearly", 120_00, interval="year"))
    with open_book(alice, on(3, 3)) as book:
        book.change_quantity(subscription, 2)
    with open_book(alice, on(3, 4)) as book:
        book.change_quantity(subscription, 1)
    with open_book(alice, on(3, 5)) as book:
        book.cancel(subscription, when="now", refund_unused=True)
    begin(alice, on(3, 8), basic, 0)
    moves = {row.day.day: row[2:] for row in mrr.by_day(since=on(3, 1), until=on(3, 20))}
    #               new, expansion, contraction, churn, reactivation, gained, lost
    assert moves == {
        1: (31_00, 0, 0, 0, 0, 1, 0),
        2: (10_00, 0, 0, 0, 0, 1, 0),
        3: (0, 31_00, 0, 0, 0, 0, 0),
        4: (0, 0, -31_00, 0, 0, 0, 0),
        5: (0, 0, 0, -31_00, 0, 0, 1),
        8: (0, 0, 0, 0, 31_00, 1, 0),
    }
    whole = total(on(3, 1), on(3, 20))
    assert whole.moved == 41_00
    assert mrr.at_present() == {"RUB": 41_00}


def test_a_renewal_a_plan_change_and_the_end_of_the_day_are_no_churn(alice):
    """Renewals move nothing, a dearer plan is expansion, and what comes and goes within a day is no movement."""
    subscription = begin(alice, on(3, 1, 9), plan())
    settle(alice, on(6, 1))
    with open_book(alice, on(6, 2)) as book:
        book.change_plan(subscription, plan("pro", 62_00))
    other = begin(alice, on(6, 5, 1), plan("short", 5_00), 0)
    with open_book(alice, on(6, 5, 2)) as book:
        book.cancel(other, when="now", refund_unused=True)
    moves = [(row.day, row.new, row.expansion) for row in mrr.by_day(since=on(1, 1), until=on(6, 9))]
    assert sorted(moves) == [(date(2026, 3, 1), 31_00, 0), (date(2026, 6, 2), 0, 31_00)]


def test_days_of_grace_count_until_they_end_unpaid(alice):
    begin(alice, on(3, 1), plan(grace_days=5), 31_00)
    settle(alice, on(4, 3))
    assert [row.day for row in mrr.by_day(since=on(3, 1), until=on(4, 3))] == [date(2026, 3, 1)]
    assert mrr.at_present()["RUB"] == 31_00
    settle(alice, on(4, 9))
    churned = mrr.by_day(since=on(3, 2), until=on(4, 9))
    assert [(row.day, row.churn) for row in churned] == [(date(2026, 4, 6), -31_00)]
    assert mrr.at_present() == {}


def test_an_unsettled_renewal_is_no_churn(alice):
    begin(alice, on(3, 1), plan())
    assert [row.day for row in mrr.by_day(since=on(3, 1), until=on(4, 3))] == [date(2026, 3, 1)]


def test_the_roll_up_equals_the_sum_of_the_rows_after_billing_was_dated_back(alice, mallory):
    """What a late run dates back into closed days is caught by the next roll-up, which else changes nothing."""
    begin(alice, on(3, 1, 12), plan(), 31_00)
    begin(mallory, on(3, 1), hourly(), 50_00)
    assert daily.roll_up(now=on(4, 5, 1)) > 0
    assert daily.roll_up(now=on(4, 5, 1)) == 0
    # Billing had stood still since the middle of March: Alice was suspended on 1 April, Mallory's money ran out.
    settle(alice, on(4, 5, 2))
    settle(mallory, on(4, 5, 2))
    assert daily.roll_up(now=on(4, 6, 1)) > 0
    rows = {row.day: daily.as_figure(row) for row in DailyFigure.objects.filter(currency="RUB")}
    direct = {day: each for (day, _), each in daily.compute(since=daily.BEGINNING, until=on(4, 6)).items()}
    empty = Figure()
    assert {day: each for day, each in rows.items() if each != empty} == direct
    assert sum(each.usage for each in rows.values()) == 50_00
    assert rows[date(2026, 4, 1)].churn == -31_00
    assert sum(each.plans for each in rows.values()) == Decimal(31_00)


def test_a_day_that_has_become_empty_is_deleted(alice):
    DailyFigure.objects.create(day=date(2025, 1, 1), currency="RUB", cash_in=5)
    begin(alice, on(3, 1), plan())
    daily.roll_up(now=on(3, 3))
    assert not DailyFigure.objects.filter(day=date(2025, 1, 1)).exists()


def test_open_days_are_added_to_the_roll_up(alice):
    subscription = begin(alice, on(3, 1), plan())
    now = datetime.now(UTC)
    with open_book(alice, now - timedelta(seconds=1)) as book:
        book.cancel(subscription, when="now", refund_unused=True)
    daily.roll_up(now=on(3, 3))
    days = daily.by_currency(now=now)["RUB"]
    assert sum(each.moved for each in days.values()) == 0
    assert days[(now - timedelta(seconds=1)).date()].churn == -31_00
    again = daily.compute(since=daily.BEGINNING, until=now)
    assert days == {day: each for (day, _), each in again.items()} | {date(2026, 3, 2): days[date(2026, 3, 2)]}


@pytest.mark.parametrize(
    ("rule", "values"),
    [
        ("one_figure_per_currency_and_day", {}),
        ("cash_is_zero_or_more", {"currency": "EUR", "cash_out": -1}),
        ("mrr_moves_in_the_direction_of_its_name", {"currency": "EUR", "churn": 1}),
    ],
)
def test_the_database_refuses_figures_that_cannot_be(rule, values):
    DailyFigure.objects.create(day=date(2026, 3, 1), currency="RUB")
    with pytest.raises(IntegrityError) as error, transaction.atomic():
        DailyFigure.objects.create(**{"day": date(2026, 3, 1), "currency": "RUB"} | values)
    assert rule in str(error.value)
