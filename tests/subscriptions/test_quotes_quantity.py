"""Quotes of a change of the quantity, and quotes in states other than a paid period."""

import pytest

from subscriptions import books, catalogue, quotes, refusals
from subscriptions.models import Plan, Price, Subscription
from tests.subscriptions.bank import HOUR, MINUTE, NOON, at, balance, basic, broken_rules, do, settle
from tests.subscriptions.picture import lines
from tests.subscriptions.quote_story import assert_stale, formulas, metered, movements
from tests.subscriptions.shop import pay_in, sell

pytestmark = pytest.mark.django_db
HALF = at(days=15, hours=12)
APRIL = NOON.replace(month=4)


def make(row, quantity, now, **more):
    return quotes.make(row, row.price, quantity=quantity, now=now, **more)


@pytest.mark.parametrize(("minutes", "paid"), [(0, 495_00), (5, 494_89), (15, 494_67)])
def test_more_seats_cost_their_part_of_the_period(alice, subscription, minutes, paid):
    quote = make(subscription, 2, HALF)
    # One more at 990.00 for half of the month; later it is less.
    assert (movements(quote), quote.total) == ([("charge", -495_00)], -495_00)
    assert formulas(quote) == ["990.00 × 15 days 12 h of 31 days"]
    assert (quote.balance_after, quote.next_charge_at, quote.next_charge_amount) == (515_00, APRIL, 1980_00)
    row = quotes.accept(quote, now=HALF + minutes * MINUTE)
    # 99000 x (22320 - minutes) / 44640, rounded up.
    assert (row.quantity, row.period_end, balance(alice)) == (2, APRIL, 1010_00 - paid)
    assert broken_rules() == []


def test_fewer_seats_give_their_part_of_the_period_back(alice):
    pay_in(alice, 3000_00, at=NOON)
    with books.open(alice, "RUB", now=NOON) as book:
        row = book.subscribe(basic(), quantity=3)
    quote = make(row, 1, HALF)
    # 2 x 990.00 x 22305 / 44640 = 989.334...
    assert (movements(quote), formulas(quote)) == (
        [("unused_refund", 989_33)], ["1980.00 × 15 days 11 h 45 min of 31 days"],
    )  # fmt: skip
    assert (quote.balance_after, quote.next_charge_amount) == (30_00 + 989_33, 990_00)
    quotes.accept(quote, now=HALF)
    assert lines(alice)[-1][:3] == ("unused_refund", 990_00, 1020_00)
    assert broken_rules() == []


def test_seats_that_the_balance_cannot_pay_are_refused_with_what_is_missing(subscription):
    with pytest.raises(refusals.Refused) as error:
        make(subscription, 5, HALF)
    # 4 x 495.00 - 1010.00; it gets less by the second, so that an hour adds nothing.
    assert error.value.extra == {"missing": {"value": "970.00", "currency": "RUB"}}


def test_the_quantity_of_the_next_period_is_remembered_and_can_be_dropped(alice, subscription):
    quote = make(subscription, 2, HALF, when="period_end")
    assert (movements(quote), quote.next_charge_at, quote.next_charge_amount) == ([], APRIL, 1980_00)
    row = quotes.accept(quote, now=HALF)
    assert (row.quantity, row.scheduled_quantity, balance(alice)) == (1, 2, 1010_00)
    again = make(row, 1, HALF, when="period_end")
    assert (again.next_charge_amount, quotes.accept(again, now=HALF).scheduled_quantity) == (990_00, None)


def test_a_meter_takes_another_number_at_once_and_nothing_moves(alice):
    row = metered(alice)
    quote = make(row, 3, at(hours=1))
    assert (movements(quote), quote.status_after) == ([], "active")
    # 3.60 are used; the quote counts 15 minutes more at 3.60.
    assert (quote.balance_before, quote.balance_after) == (1996_40, 1995_50)
    quotes.accept(quote, now=at(hours=1))
    settle(alice, at(hours=2))
    assert balance(alice) == 2000_00 - 3_60 - 3 * 3_60


def test_a_trial_is_not_given_for_more_than_the_seller_allows(alice):
    price = sell("try", RUB=100_00, trial_days=7, trial_quantity_max=3)["RUB"]
    with books.open(alice, "RUB", now=NOON) as book:
        row = book.subscribe(price)
    quote = make(row, 3, NOON)
    assert (movements(quote), quote.status_after, quote.next_charge_amount) == ([], "trialing", 300_00)
    with pytest.raises(refusals.Refused) as error:
        make(row, 4, NOON)
    assert error.value.code == "quantity_too_large_for_trial"


def test_a_change_of_plan_since_the_quote_invalidates_it(alice, subscription):
    """The other plan costs the same, so that the amounts alone would not tell."""
    same = sell("same", RUB=990_00)["RUB"]
    quote = make(subscription, 2, NOON)
    do(alice, NOON, lambda book: book.change_plan(subscription, same))
    assert assert_stale(quote, now=NOON).price == same


def test_a_quantity_beyond_the_limits_is_refused(subscription):
    for quantity in (0, 1_000_001):
        with pytest.raises(refusals.Refused) as error:
            make(subscription, quantity, NOON)
        assert (error.value.code, error.value.param) == ("out_of_range", "quantity")


def test_days_of_grace_are_a_line_of_their_own(alice, better):
    graceful = sell("graceful", RUB=300_00, grace_days=3)["RUB"]
    pay_in(alice, 300_00, at=NOON)
    with books.open(alice, "RUB", now=NOON) as book:
        row = book.subscribe(graceful)
    # Paid on the day after: the renewal costs 300.00, the other plan 100.00 and a day of April 10.00.
    pay_in(alice, 150_00, at=APRIL + 24 * HOUR)
    small = sell("small", RUB=100_00)["RUB"]
    quote = quotes.make(row, small, now=APRIL + 24 * HOUR)
    # 24 h 15 min of 30 days: 10.104..., rounded up.
    assert (movements(quote), quote.balance_after) == ([("charge", -10_11), ("charge", -100_00)], 39_89)
    assert formulas(quote) == ["300.00 × 1 day 15 min of 30 days", "100.00 a month × 1 month"]
    quotes.accept(quote, now=APRIL + 24 * HOUR)
    assert balance(alice) == 40_00
    with pytest.raises(refusals.Refused):
        quotes.make(row, better, now=APRIL + 24 * HOUR)


def test_what_comes_back_pays_the_debt_first_and_then_starts_what_is_suspended(alice):
    graceful = sell("graceful", RUB=300_00, grace_days=3)["RUB"]
    pay_in(alice, 2280_00, at=NOON)
    with books.open(alice, "RUB", now=NOON) as book:
        other = book.subscribe(graceful)
    with books.open(alice, "RUB", now=at(days=20)) as book:
        row = book.subscribe(basic(), quantity=2)
    # Three days of grace from 1 April cost 30.00, which nobody paid. 16 of 31 days of the plan are left.
    quote = make(row, 1, at(days=35))
    # 990.00 x 23025 of 44640 minutes are 510.635...
    assert movements(quote) == [("unused_refund", 510_63), ("debt_payment", -30_00), ("charge", -300_00)]
    assert formulas(quote) == ["990.00 × 15 days 23 h 45 min of 31 days", "", "300.00 a month × 1 month"]
    assert (quote.balance_before, quote.balance_after) == (0, 180_63)
    quotes.accept(quote, now=at(days=35))
    # 990.00 x 16 of 31 days are 510.967...
    assert balance(alice) == 510_96 - 330_00
    assert Subscription.objects.get(pk=other.pk).status == "active"
    assert broken_rules() == []


@pytest.mark.parametrize("is_public", [True, False])
def test_a_change_to_the_plan_it_has_keeps_its_price_and_drops_what_was_scheduled(alice, is_public):
    """The price of 100.00 was replaced by one of 250.00; it keeps 100.00, also when the plan is hidden."""
    pay_in(alice, 1000_00, at=NOON)
    price = sell("team", RUB=100_00)["RUB"]
    with books.open(alice, "RUB", now=NOON) as book:
        row = book.subscribe(price)
    catalogue.new_version(price, now=NOON, amount=250_00)
    Plan.objects.filter(pk=price.plan_id).update(is_public=is_public)
    quotes.accept(quotes.make(row, basic(), now=NOON, when="period_end"), now=NOON)
    own = quotes.price_for(row, "team", now=NOON)
    assert own.amount == 100_00
    # The version on sale is not taken either.
    newest = Price.objects.get(plan=price.plan, version=2)
    for asked in (own, newest):
        quote = quotes.make(row, asked, now=NOON, when="period_end")
        assert (quote.price, movements(quote), quote.next_charge_amount) == (price, [], 100_00)
    row = quotes.accept(quote, now=NOON)
    assert (row.price, row.scheduled_price, balance(alice)) == (price, None, 900_00)
