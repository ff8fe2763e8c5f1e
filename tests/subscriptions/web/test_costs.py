"""What a customer spent in the last 30 days equals the ledger, day by day."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from ledger.models import Account
from subscriptions import costs
from tests.subscriptions.bank import NOON, at
from tests.subscriptions.shop import pay_in
from tests.web import act, bought

pytestmark = pytest.mark.django_db


def spent(owner, *, now):
    wallets = Account.objects.filter(owner=owner, kind=Account.Kind.WALLET).values_list("pk", flat=True)
    return {currency: each.days for currency, each in costs.by_currency(list(wallets), now=now).items()}


def month(owner, *, now):
    wallets = Account.objects.filter(owner=owner, kind=Account.Kind.WALLET).values_list("pk", flat=True)
    return {currency: each.month for currency, each in costs.by_currency(list(wallets), now=now).items()}


def test_each_day_has_its_plans_and_its_metered_use(alice, on_sale):
    bought(alice, "standard", paid_in=2000_00)
    hourly = bought(alice, "hourly", paid_in=100_00)
    act(hourly, at(days=1), lambda book: book.pause(hourly))
    [days] = spent(alice, now=at(days=2)).values()
    assert len(days) == 30
    assert days[-1].day == at(days=2).date()
    assert {each.day: (each.plans, each.use) for each in days if each.plans or each.use} == {
        NOON.date(): (690_00, 0),
        at(days=1).date(): (0, 24 * 150),
    }


def test_a_refund_for_unused_time_counts_against_its_day(alice, on_sale):
    row = bought(alice, "standard", paid_in=690_00)
    act(row, at(), lambda book: book.cancel(row, when="now", refund_unused=True))
    [days] = spent(alice, now=at(days=1)).values()
    assert sum(each.plans for each in days) == 0


def test_what_is_older_than_30_days_is_not_counted_and_nothing_spent_has_no_picture(alice, on_sale):
    pay_in(alice, 10_00, at=at())
    assert spent(alice, now=at(days=1)) == {}
    bought(alice, "basic", paid_in=299_00, auto_renew=False)
    assert spent(alice, now=at(days=29))["RUB"][0].plans == 299_00
    # 31 March: only in the month.
    assert {each[1:] for each in spent(alice, now=at(days=30))["RUB"]} == {(0, 0)}
    assert spent(alice, now=at(days=31)) == {}


def test_a_day_is_one_of_the_customers_time_zone(alice, on_sale):
    bought(alice, "basic", paid_in=299_00)
    with timezone.override(ZoneInfo("Pacific/Auckland")):
        [days] = spent(alice, now=at(days=1)).values()
    assert [each.day for each in days if each.plans] == [date(2026, 3, 2)]


def test_the_month_is_the_calendar_month_of_the_customers_zone(alice, on_sale):
    """Basic for 299.00 at noon of 1 March; the whole of March counts, on its 31st day too, and nothing in April."""
    bought(alice, "basic", paid_in=1000_00, auto_renew=False)
    assert month(alice, now=at(days=1)) == {"RUB": 299_00}
    assert month(alice, now=at(days=30, hours=11)) == {"RUB": 299_00}
    assert month(alice, now=at(days=30, hours=13)) == {}
    with timezone.override(ZoneInfo("Pacific/Auckland")):
        # There it is 1 April from 11:00 UTC of 31 March on.
        assert month(alice, now=at(days=29, hours=22)) == {"RUB": 299_00}
        assert month(alice, now=at(days=29, hours=23, minutes=30)) == {}


def test_a_refund_of_another_month_lessens_the_month_in_which_it_is_made(alice, on_sale):
    """690.00 in March; half of the time is refunded on 16 March: 345.00 are left."""
    row = bought(alice, "standard", paid_in=690_00)
    act(row, at(days=15, hours=12), lambda book: book.cancel(row, when="now", refund_unused=True))
    assert month(alice, now=at(days=20)) == {"RUB": 345_00}
