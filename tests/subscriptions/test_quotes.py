"""Quotes of a change of plan: taken at once, and never worse than shown."""

import pytest

from subscriptions import billing_run, books, quotes
from tests.subscriptions.bank import (
    HOUR,
    MICROSECOND,
    MINUTE,
    NOON,
    SECOND,
    at,
    balance,
    broken_rules,
    do,
    hourly,
    settle,
)
from tests.subscriptions.picture import lines, picture
from tests.subscriptions.quote_story import assert_stale, formulas, metered, movements
from tests.subscriptions.shop import pay_in

pytestmark = pytest.mark.django_db


def test_a_quote_has_the_lines_the_balance_and_the_next_payment_at_its_end(subscription, better):
    half = at(days=15, hours=12)
    quote = quotes.make(subscription, better, now=half)
    # In 15 minutes 22305 of 44640 minutes are left: 494.6673... of 990.00 comes back, and a month of the other plan is
    # paid: 1010 + 494.66 - 1500 = 4.66.
    then = half + 15 * MINUTE
    assert movements(quote) == [("unused_refund", 494_66), ("charge", -1500_00)]
    assert formulas(quote) == ["990.00 × 15 days 11 h 45 min of 31 days", "1500.00 a month × 1 month"]
    assert (quote.balance_before, quote.balance_after, quote.total) == (1010_00, 4_66, -1005_34)
    assert (quote.status_after, quote.next_charge_at) == ("active", then.replace(month=4))
    assert (quote.next_charge_amount, quote.as_of, quote.expires_at) == (1500_00, half, then)


def test_making_a_quote_changes_nothing(alice, subscription, better):
    before = picture(alice)
    for minute in range(50):
        quotes.make(subscription, better, now=at(days=3, minutes=minute))
    assert picture(alice) == before


@pytest.mark.parametrize(("minutes", "refund"), [(0, 495_00), (5, 494_88), (15, 494_66)])
def test_a_quote_takes_effect_at_once_with_the_amounts_of_that_instant(alice, subscription, better, minutes, refund):
    half = at(days=15, hours=12)
    quote = quotes.make(subscription, better, now=half)
    then = half + minutes * MINUTE
    row = quotes.accept(quote, now=then)
    assert (row.price, row.status, row.period_start, row.period_end) == (better, "active", then, then.replace(month=4))
    # 99000 x (22320 - minutes) / 44640, rounded down.
    assert lines(alice)[-2:] == [
        ("unused_refund", refund, 1010_00 + refund, then), ("charge", -1500_00, refund - 490_00, then),
    ]  # fmt: skip
    assert balance(alice) >= quote.balance_after
    assert broken_rules() == []


def test_accepted_at_its_very_end_a_quote_posts_exactly_its_lines(alice, subscription, better):
    quote = quotes.make(subscription, better, now=at(days=3, hours=7, seconds=13))
    quotes.accept(quote, now=quote.expires_at)
    posted = [(reason, amount) for reason, amount, _, when in lines(alice) if when == quote.expires_at]
    assert (posted, balance(alice)) == (movements(quote), quote.balance_after)


@pytest.mark.parametrize("second", range(0, 901, 60))
def test_a_quote_is_never_worse_than_shown(alice, subscription, better, second):
    quote = quotes.make(subscription, better, now=at(days=3, microseconds=1))
    quotes.accept(quote, now=quote.as_of + second * SECOND)
    assert 0 <= balance(alice) - quote.balance_after <= 34


def test_a_quote_is_valid_for_fifteen_minutes(subscription, better):
    quote = quotes.make(subscription, better, now=at(days=3, microseconds=1))
    assert quote.expires_at == at(days=3, minutes=15, microseconds=1)
    # 27 d 23 h 45 min of 31 days of 990.00 are 893.861...
    assert movements(quote)[0] == ("unused_refund", 893_86)
    new = assert_stale(quote, now=quote.expires_at + MICROSECOND)
    assert new.expires_at == quote.expires_at + 15 * MINUTE + MICROSECOND


def test_near_the_end_of_a_period_a_quote_ends_before_the_renewal_or_the_last_kopeck(alice, subscription, better):
    end = NOON.replace(month=4)
    pay_in(alice, 500_00, at=at(days=1))
    quote = quotes.make(subscription, better, now=end - MINUTE)
    # 60 s of 990.00 for 31 days are 2.2177... kopecks. At the last microsecond nothing would come back, which is
    # another change; with half of the time left, one kopeck does.
    assert movements(quote)[0] == ("unused_refund", 1)
    assert end - MINUTE < quote.expires_at < end
    row = quotes.accept(quote, now=quote.expires_at)
    assert (row.price, row.period_start, balance(alice)) == (better, quote.expires_at, quote.balance_after)


def test_a_quoted_change_to_a_meter_starts_it_at_acceptance(alice, subscription):
    quote = quotes.make(subscription, hourly(), now=at(days=3))
    # 1010.00, and 27 d 23 h 45 min of unused time: 893.861...
    assert (movements(quote), quote.balance_after) == ([("unused_refund", 893_86)], 1903_86)
    quotes.accept(quote, now=at(days=3, minutes=1))
    settle(alice, at(days=3, minutes=1) + HOUR)
    # 27 d 23 h 59 min: 894.1715... Then an hour of use.
    assert balance(alice) == 1010_00 + 894_17 - 3_60
    assert broken_rules() == []


def test_a_change_from_a_meter_charges_use_up_to_acceptance(alice, better):
    subscription = metered(alice)
    quote = quotes.make(subscription, better, now=at(hours=5))
    # 18.00 is used before the quote. That and the use up to acceptance are not part of the change; the balance after
    # it counts 0.90 for the 15 minutes all the same.
    assert (movements(quote), quote.balance_before) == ([("charge", -1500_00)], 1982_00)
    assert (quote.total, quote.balance_after) == (-1500_00, 1982_00 - 1500_00 - 90)
    assert quote.expires_at == at(hours=5, minutes=15)
    quotes.accept(quote, now=at(hours=5, minutes=10))
    # 5 h 10 min at 3.60 are 18.60.
    then = at(hours=5, minutes=10)
    assert lines(alice)[1:] == [("charge", -18_60, 1981_40, then), ("charge", -1500_00, 481_40, then)]
    assert broken_rules() == []


def test_a_change_at_the_end_of_the_period_posts_nothing_now(alice, subscription, better):
    quote = quotes.make(subscription, better, now=at(days=1), when="period_end")
    assert (movements(quote), quote.total, quote.next_charge_amount) == ([], 0, 1500_00)
    assert quote.next_charge_at == NOON.replace(month=4)
    row = quotes.accept(quote, now=at(days=1, minutes=3))
    assert (row.price.plan.code, row.scheduled_price) == ("basic", better)
    assert len(lines(alice)) == 2


def test_a_billing_run_does_not_invalidate_a_quote(alice, better):
    subscription = metered(alice)
    quote = quotes.make(subscription, better, now=at(minutes=59))
    assert billing_run.run_due(now=at(hours=1)).books == 1
    quotes.accept(quote, now=at(minutes=62))
    # 62 minutes at 3.60 an hour: 3.72.
    assert balance(alice) == 2000_00 - 3_72 - 1500_00
    assert broken_rules() == []


def test_frequent_changes_between_meters_lose_no_fraction(alice):
    """100 and 200 kopecks an hour in turns of 15 seconds, for an hour: exactly 150 kopecks."""
    slow, fast = hourly(100, "slow"), hourly(200, "fast")
    pay_in(alice, 100_00, at=NOON)
    with books.open(alice, "RUB", now=NOON) as book:
        subscription = book.subscribe(slow)
    for second in range(1, 241):
        now = NOON + second * 15 * SECOND
        quotes.accept(quotes.make(subscription, fast if second % 2 else slow, now=now), now=now)
    settle(alice, at(hours=1))
    assert balance(alice) == 100_00 - 1_50
    assert broken_rules() == []
    assert HOUR == 240 * 15 * SECOND


def test_a_due_renewal_is_settled_and_not_part_of_the_quote(alice, subscription, better):
    pay_in(alice, 2000_00, at=at(days=1))
    quote = quotes.make(subscription, better, now=NOON.replace(month=4) + HOUR)
    assert quote.balance_before == 3010_00 - 990_00
    quotes.accept(quote, now=quote.as_of + 5 * SECOND)
    assert lines(alice)[-3:-2] == [("charge", -990_00, 2020_00, NOON.replace(month=4))]
    assert balance(alice) >= quote.balance_after


def test_waiting_with_a_quote_does_not_make_an_expensive_meter_cheap(alice):
    """Change from 100.00 to 1.00 an hour at the last moment of the quote and back at once, for three hours."""
    dear, cheap = hourly(100_00, "dear"), hourly(1_00, "cheap")
    pay_in(alice, 2000_00, at=NOON)
    with books.open(alice, "RUB", now=NOON) as book:
        subscription = book.subscribe(dear)
    for turn in range(12):
        then = NOON + (turn + 1) * 15 * MINUTE
        quotes.accept(quotes.make(subscription, cheap, now=then - 15 * MINUTE), now=then)
        do(alice, then, lambda book: book.change_plan(subscription, dear))
    # All three hours were on the expensive plan.
    assert balance(alice) == 2000_00 - 300_00
    assert broken_rules() == []


def test_a_quote_for_the_end_of_the_period_expires_at_the_renewal(alice, subscription, better):
    pay_in(alice, 2000_00, at=at(days=1))
    renewal = NOON.replace(month=4)
    quote = quotes.make(subscription, better, now=renewal - 5 * MINUTE, when="period_end")
    # It promises 1500.00 on 1 April; after the renewal that would be on 1 May.
    assert (quote.next_charge_at, quote.expires_at) == (renewal, renewal - MICROSECOND)
    settle(alice, renewal)
    assert assert_stale(quote, now=renewal).next_charge_at == renewal.replace(month=5)
