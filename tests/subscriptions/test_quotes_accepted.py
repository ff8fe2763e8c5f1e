"""Quotes that expire, change, or are accepted twice: a stale quote posts nothing and returns a new one."""

import pytest

from subscriptions import books, quotes
from subscriptions.models import Quote
from tests.subscriptions.bank import (
    MICROSECOND,
    MINUTE,
    NOON,
    SECOND,
    at,
    balance,
    basic,
    broken_rules,
    do,
    hourly,
    people,
)
from tests.subscriptions.picture import lines, picture
from tests.subscriptions.quote_story import assert_stale, effective_at
from tests.subscriptions.shop import pay_in, sell

pytestmark = pytest.mark.django_db


def test_an_expired_quote_charges_nothing_and_returns_a_new_quote(subscription, better):
    quote = quotes.make(subscription, better, now=at(days=3))
    new = assert_stale(quote, now=quote.expires_at + SECOND)
    # The unused time is worth a kopeck less.
    assert new.lines[0]["amount"] < quote.lines[0]["amount"]


def test_accepting_twice_changes_once(alice, subscription, better):
    quote = quotes.make(subscription, better, now=at(days=3))
    quotes.accept(quote, now=at(days=3, seconds=1))
    after = lines(alice)
    # With the same object and with a freshly loaded one, also after it has expired.
    quotes.accept(quote, now=at(days=3, seconds=2))
    quotes.accept(Quote.objects.get(pk=quote.pk), now=at(days=4))
    assert lines(alice) == after


def test_expired_quotes_are_deleted_after_a_day(subscription, better):
    left, taken = (quotes.make(subscription, better, now=at(days=3)) for _ in range(2))
    quotes.accept(taken, now=at(days=3))
    assert quotes.forget(now=left.expires_at + quotes.KEPT_FOR) == 0
    assert quotes.forget(now=left.expires_at + quotes.KEPT_FOR + SECOND) == 1
    assert list(Quote.objects.all()) == [taken]


def test_only_one_of_two_quotes_can_be_accepted(alice, subscription, better):
    first = quotes.make(subscription, better, now=at(days=3))
    second = quotes.make(subscription, sell("best", RUB=1600_00)["RUB"], now=at(days=3))
    quotes.accept(first, now=at(days=3, seconds=1))
    # The second quote is stale, and no new one can be made until the first change has taken effect.
    before = picture(alice)
    with pytest.raises(books.Refused, match="within minutes"):
        quotes.accept(second, now=at(days=3, seconds=2))
    assert picture(alice) == before
    new = assert_stale(second, now=effective_at(first))
    assert (new.balance_before, balance(alice)) == (first.balance_after, first.balance_after)


def test_an_unfunded_quote_is_refused_with_the_missing_amount(subscription):
    dear = sell("dear", RUB=5000_00)["RUB"]
    with pytest.raises(books.Refused) as error:
        quotes.make(subscription, dear, now=at(days=15, hours=12))
    # 5000 - 1010 - 494.95.
    assert error.value.extra == {"missing": {"value": "3495.05", "currency": "RUB"}}
    assert Quote.objects.count() == 0


def test_a_final_or_paused_subscription_has_no_quote(alice, subscription, better):
    do(alice, at(days=1), lambda book: book.pause(subscription))
    with pytest.raises(books.Refused, match="paused"):
        quotes.make(subscription, better, now=at(days=2))
    do(alice, at(days=2), lambda book: book.cancel(subscription, when="now"))
    with pytest.raises(books.Refused, match="ended"):
        quotes.make(subscription, better, now=at(days=3))


def test_a_quote_for_a_cancelled_subscription_is_refused(alice, subscription, better):
    quote = quotes.make(subscription, better, now=at(days=3))
    do(alice, at(days=3, seconds=5), lambda book: book.cancel(subscription, when="now"))
    before = picture(alice)
    with pytest.raises(books.Refused, match="ended"):
        quotes.accept(quote, now=at(days=3, minutes=1))
    assert picture(alice) == before


def test_a_cancel_request_invalidates_a_quote(alice, subscription, better):
    # Nothing moves in either case; but the quote promised 1500.00 on 1 April, and now the subscription ends then.
    quote = quotes.make(subscription, better, now=at(days=3), when="period_end")
    assert quote.next_charge_amount == 1500_00
    do(alice, at(days=3, seconds=5), lambda book: book.cancel(subscription))
    assert assert_stale(quote, now=at(days=3, seconds=9)).next_charge_amount is None


def test_a_quote_expires_with_the_money_or_the_period(alice, better, subscription):
    # A kopeck each ten seconds: two of them last 30 s less a microsecond.
    [poor] = people(1)
    pay_in(poor, 2, at=NOON)
    with books.open(poor, "RUB", now=NOON) as book:
        server = book.subscribe(hourly())
    assert quotes.make(server, hourly(7_20, "faster"), now=NOON).expires_at == at(seconds=30) - MICROSECOND
    do(alice, at(days=1), lambda book: book.cancel(subscription))
    late = at(days=31) - MINUTE
    assert quotes.make(subscription, better, now=late, when="period_end").expires_at == at(days=31) - MICROSECOND


def test_charges_for_leftover_fractions_are_not_part_of_a_quote(alice):
    """Whether the fractions of two servers add up to a kopeck depends on the second of acceptance."""
    pay_in(alice, 2000_00, at=NOON)
    price = hourly()
    with books.open(alice, "RUB", now=NOON) as book:
        ended, server = book.subscribe(price), book.subscribe(price)
    do(alice, at(seconds=6), lambda book: book.cancel(ended))
    quote = quotes.make(server, basic(), now=at(seconds=7))
    assert [line["amount"] for line in quote.lines] == [-990_00]
    # 0.6 + 0.6 kopecks by then, besides the kopeck of the first ten seconds.
    quotes.accept(quote, now=at(seconds=16))
    assert balance(alice) == 2000_00 - 990_00 - 2
    assert broken_rules() == []


def test_a_quote_is_invalid_if_the_meter_could_not_start(alice, subscription):
    """Another server empties the wallet within a minute, so the new meter could not start."""
    fast = sell("fast", RUB=100_00, interval="second", metered=True)["RUB"]
    quote = quotes.make(subscription, hourly(), now=at(days=3))
    assert quote.status_after == "active"
    do(alice, at(days=3, seconds=1), lambda book: book.subscribe(fast))
    assert assert_stale(quote, now=at(days=3, seconds=2)).status_after == "suspended"
