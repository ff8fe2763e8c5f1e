"""Quotes for plan changes: accepting a quote posts exactly what it shows."""

from itertools import pairwise

import pytest

from subscriptions import billing_run, books, overview, quotes
from subscriptions.models import Charge, Subscription
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
from tests.subscriptions.quote_story import assert_stale, effective_at, metered, movements
from tests.subscriptions.shop import pay_in

pytestmark = pytest.mark.django_db


def test_a_quote_has_the_lines_the_balance_and_the_next_payment(subscription, better):
    half = at(days=15, hours=12)
    quote = quotes.make(subscription, better, now=half)
    # In two minutes 15 d 11 h 58 min of 31 days are left: 494.9556... of 990.00 is refunded, and a month of the other
    # plan is paid: 1010 + 494.95 - 1500 = 4.95.
    then = half + 2 * MINUTE
    assert movements(quote) == [("unused_refund", 494_95), ("charge", -1500_00)]
    assert (quote.balance_before, quote.balance_after, quote.total) == (1010_00, 4_95, -1005_05)
    assert (quote.status_after, quote.next_charge_at) == ("active", then.replace(month=4))
    assert (quote.next_charge_amount, quote.as_of) == (1500_00, half)
    assert quote.expires_at == effective_at(quote) == then


def test_making_a_quote_changes_nothing(alice, subscription, better):
    before = picture(alice)
    for minute in range(50):
        quotes.make(subscription, better, now=at(days=3, minutes=minute))
    assert picture(alice) == before


@pytest.mark.parametrize("is_late", [False, True])
def test_accepting_a_quote_posts_exactly_its_lines(alice, subscription, better, is_late):
    quote = quotes.make(subscription, better, now=at(days=3, hours=7, seconds=13))
    then = quote.expires_at if is_late else quote.as_of
    quotes.accept(quote, now=then)
    assert [(reason, amount) for reason, amount, _, when in lines(alice) if when == then] == movements(quote)
    assert balance(alice) == quote.balance_after
    assert broken_rules() == []
    settle(alice, effective_at(quote))
    row = Subscription.objects.get(pk=subscription.pk)
    assert (row.price, row.status, row.period_start) == (better, quote.status_after, effective_at(quote))
    assert balance(alice) == quote.balance_after
    assert broken_rules() == []


def test_a_quote_is_valid_for_two_to_three_minutes(subscription, better):
    quote = quotes.make(subscription, better, now=at(days=3, microseconds=1))
    assert effective_at(quote) == quote.expires_at == at(days=3, minutes=3)
    # 27 d 23 h 57 min of 31 days of 990.00 are 894.1270...
    assert movements(quote)[0] == ("unused_refund", 894_12)
    new = assert_stale(quote, now=quote.expires_at + MICROSECOND)
    assert effective_at(new) == at(days=3, minutes=6)


def test_near_the_end_of_a_period_a_quote_is_valid_until_unused_time_loses_value(alice, subscription, better):
    end = NOON.replace(month=4)
    pay_in(alice, 500_00, at=at(days=1))
    quote = quotes.make(subscription, better, now=end - MINUTE)
    # 60 s of 990.00 for 31 days are 2.2177... kopecks: 2, until 54.10909 s are left.
    assert (quote.takes_effect_at, movements(quote)[0]) == (None, ("unused_refund", 2))
    assert end - quote.expires_at == 54 * SECOND + 109_091 * MICROSECOND
    row = quotes.accept(quote, now=quote.expires_at)
    assert (row.price, row.period_start, balance(alice)) == (better, quote.expires_at, quote.balance_after)


def test_the_plan_changes_at_the_quoted_instant(alice, subscription, better):
    quote = quotes.make(subscription, better, now=at(days=3))
    quotes.accept(quote, now=at(days=3, seconds=30))
    then = effective_at(quote)
    for instant, price in (
        (at(days=3, seconds=30), subscription.price),
        (then - MICROSECOND, subscription.price),
        (then, better),
    ):
        held = overview.one(Subscription.objects.get(pk=subscription.pk), now=instant)
        assert (held.price, held.access.active, held.access.until) == (price, True, then.replace(month=4))
    charges = Charge.objects.filter(subscription=subscription).order_by("id")
    assert [(row.period_start, row.ended_at or row.period_end) for row in charges] == [
        (NOON, then), (then, then.replace(month=4)),
    ]  # fmt: skip


def test_a_quoted_change_to_a_meter_starts_it_at_the_quoted_instant(alice, subscription):
    quote = quotes.make(subscription, hourly(), now=at(days=3))
    # 1010.00, and 27 d 23 h 58 min of unused time: 894.1491...
    assert (movements(quote), quote.balance_after) == ([("unused_refund", 894_14)], 1904_14)
    quotes.accept(quote, now=at(days=3, minutes=1))
    settle(alice, effective_at(quote) + HOUR)
    assert balance(alice) == 1904_14 - 3_60
    assert broken_rules() == []


def test_an_agreed_change_happens_even_if_the_wallet_is_emptied(alice, subscription, better):
    quote = quotes.make(subscription, better, now=at(days=3))
    quotes.accept(quote, now=at(days=3))
    do(
        alice,
        at(days=3, seconds=30),
        lambda book: book.withdraw(book.balance, key="out", to="gateway_clearing:sandbox"),
    )
    settle(alice, effective_at(quote))
    row = Subscription.objects.get(pk=subscription.pk)
    assert (row.price, row.status, balance(alice)) == (better, "active", 0)


def test_auto_renew_turned_off_before_an_agreed_change_ends_the_new_period(alice, subscription, better):
    quote = quotes.make(subscription, better, now=at(days=3))
    quotes.accept(quote, now=at(days=3))
    do(alice, at(days=3, seconds=30), lambda book: book.set_auto_renew(subscription, False))
    settle(alice, effective_at(quote))
    assert Subscription.objects.get(pk=subscription.pk).status == "active"
    settle(alice, effective_at(quote).replace(month=4))
    assert Subscription.objects.get(pk=subscription.pk).status == "expired"
    assert broken_rules() == []


@pytest.mark.parametrize(
    "ask",
    [
        lambda book, sub: book.pause(sub), lambda book, sub: book.cancel(sub, when="now", refund_unused=True),
        lambda book, sub: book.cancel(sub), lambda book, sub: book.change_plan(sub, sub.price),
    ],
)  # fmt: skip
def test_other_operations_are_refused_until_the_quoted_instant(alice, subscription, better, ask):
    quote = quotes.make(subscription, better, now=at(days=3))
    quotes.accept(quote, now=at(days=3))
    before = picture(alice)
    with pytest.raises(books.Refused) as error:
        do(alice, quote.as_of, lambda book: ask(book, subscription))
    assert (error.value.code, picture(alice)) == ("plan_change_under_way", before)
    do(alice, effective_at(quote), lambda book: ask(book, subscription))


def test_a_change_from_a_meter_charges_use_up_to_acceptance(alice, better):
    subscription = metered(alice)
    quote = quotes.make(subscription, better, now=at(hours=5))
    # 18.00 is used before the quote. That and the use up to acceptance are not part of the change.
    assert (movements(quote), quote.balance_before) == ([("charge", -1500_00)], 1982_00)
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


def test_a_top_up_does_not_invalidate_a_quote(alice, subscription, better):
    quote = quotes.make(subscription, better, now=at(days=3))
    pay_in(alice, 1_00, at=at(days=3, seconds=2))
    quotes.accept(quote, now=at(days=3, seconds=5))
    assert balance(alice) == quote.balance_after + 1_00


def test_a_billing_run_does_not_invalidate_a_quote(alice, better):
    subscription = metered(alice)
    quote = quotes.make(subscription, better, now=at(minutes=59))
    assert billing_run.run_due(now=at(hours=1)).books == 1
    quotes.accept(quote, now=at(minutes=62))
    # 62 minutes at 3.60 an hour: 3.72.
    assert balance(alice) == 2000_00 - 3_72 - 1500_00
    assert broken_rules() == []


def test_fifty_plan_changes_gain_nothing(alice, subscription, better):
    """Each refund is rounded down: the wallet plus the remaining time is never worth more than before."""
    small, dear = subscription.price, better
    worth = []
    for turn in range(50):
        now = at(days=3, minutes=2 * turn)
        quote = quotes.make(subscription, dear if turn % 2 == 0 else small, now=now)
        quotes.accept(quote, now=now)
        # The wallet, and the price of the new period that has just begun.
        worth.append(balance(alice) - quote.lines[-1]["amount"])
    assert all(later <= earlier for earlier, later in pairwise(worth))
    spent = sum(-amount for reason, amount, *_ in lines(alice) if reason != "top_up")
    assert 2000_00 - balance(alice) == spent
    # Back on basic for a full month: that cost 990.00, besides 3 days of the first month and 100 minutes of service.
    assert spent >= 990_00 + 3 * 990_00 // 31
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
    assert HOUR == 240 * 15 * SECOND


def test_a_due_renewal_is_settled_and_not_part_of_the_quote(alice, subscription, better):
    pay_in(alice, 2000_00, at=at(days=1))
    quote = quotes.make(subscription, better, now=NOON.replace(month=4) + HOUR)
    assert quote.balance_before == 3010_00 - 990_00
    quotes.accept(quote, now=quote.as_of + 5 * SECOND)
    assert lines(alice)[-3:-2] == [("charge", -990_00, 2020_00, NOON.replace(month=4))]
    assert balance(alice) == quote.balance_after


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


@pytest.mark.parametrize("late", [True, False])
def test_waiting_with_a_quote_gives_no_time_of_an_expensive_plan_away(alice, subscription, better, late):
    """Change from 1500.00 to 990.00, accepted at the last or first moment, and back at once, twenty times."""
    do(alice, NOON, lambda book: book.change_plan(subscription, better))
    # All of the 990.00 was refunded: 2000 - 1500 is left.
    assert balance(alice) == 500_00
    small, now, used = subscription.price, NOON, 0
    for _ in range(20):
        quote = quotes.make(subscription, small, now=now + SECOND)
        then = effective_at(quote)
        quotes.accept(quote, now=then if late else quote.as_of)
        do(alice, then, lambda book: book.change_plan(subscription, better))
        # The used part of 1500.00 for 31 days is charged, rounded up to a kopeck; the other plan was not used.
        used += -(-1500_00 * ((then - now) // MICROSECOND) // (31 * 24 * HOUR // MICROSECOND))
        assert balance(alice) == 500_00 - used
        now = then
    assert used >= 20
    assert broken_rules() == []
