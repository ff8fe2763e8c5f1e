"""Quotes that expire, change, or are accepted twice: a stale quote posts nothing and returns a new one."""

import pytest

from accounts.models import User
from subscriptions import books, catalogue, orders, overview, quotes, refusals
from subscriptions.models import Plan, Quote, Subscription
from tests.subscriptions.bank import (
    MICROSECOND,
    MINUTE,
    NOON,
    SECOND,
    at,
    balance,
    broken_rules,
    do,
    hourly,
    people,
    settle,
)
from tests.subscriptions.picture import lines, picture
from tests.subscriptions.quote_story import assert_stale, movements
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
    # The first one has changed the balance and the plan. The new quote is for a change from the first one's plan.
    new = assert_stale(second, now=at(days=3, seconds=2))
    assert (new.balance_before, new.lines[0]["reason"]) == (balance(alice), "unused_refund")


def test_an_unfunded_quote_is_refused_with_what_is_missing_within_the_hour(alice, subscription):
    dear = sell("dear", RUB=5000_00)["RUB"]
    with pytest.raises(refusals.Refused) as error:
        quotes.make(subscription, dear, now=at(days=15, hours=12))
    # In an hour 371 of 744 hours are left: 493.6693... comes back. 5000 - 1010 - 493.66.
    assert error.value.extra == {"missing": {"value": "3496.34", "currency": "RUB"}}
    assert Quote.objects.count() == 0
    # It is enough up to the last minute of the hour, and a kopeck less is not.
    pay_in(alice, 3496_33, at=at(days=15, hours=12))
    with pytest.raises(refusals.Refused):
        quotes.make(subscription, dear, now=at(days=15, hours=13))
    pay_in(alice, 1, at=at(days=15, hours=13))
    quote = quotes.make(subscription, dear, now=at(days=15, hours=13))
    assert quotes.accept(quote, now=quote.as_of).price == dear


def test_what_is_missing_counts_an_hour_of_each_meter(alice, better):
    pay_in(alice, 100_00, at=NOON)
    with books.open(alice, "RUB", now=NOON) as book:
        server, _ = book.subscribe(hourly()), book.subscribe(hourly(7_20, "fast"))
    with pytest.raises(refusals.Refused) as error:
        quotes.make(server, better, now=NOON)
    # 1500 - 100 + 3.60 + 7.20, and a kopeck that the second needs for the microsecond in which the first changes.
    assert error.value.extra == {"missing": {"value": "1410.81", "currency": "RUB"}}
    pay_in(alice, 1410_81, at=NOON)
    quotes.accept(quotes.make(server, better, now=at(hours=1)), now=at(hours=1))
    assert balance(alice) == 1


def test_a_final_or_paused_subscription_has_no_quote(alice, subscription, better):
    do(alice, at(days=1), lambda book: book.pause(subscription))
    with pytest.raises(refusals.Refused, match="paused"):
        quotes.make(subscription, better, now=at(days=2))
    do(alice, at(days=2), lambda book: book.cancel(subscription, when="now"))
    with pytest.raises(refusals.Refused, match="ended"):
        quotes.make(subscription, better, now=at(days=3))


def test_a_quote_for_a_cancelled_subscription_is_refused(alice, subscription, better):
    quote = quotes.make(subscription, better, now=at(days=3))
    do(alice, at(days=3, seconds=5), lambda book: book.cancel(subscription, when="now"))
    before = picture(alice)
    with pytest.raises(refusals.Refused, match="ended"):
        quotes.accept(quote, now=at(days=3, minutes=1))
    assert picture(alice) == before


def test_a_cancel_request_invalidates_a_quote(alice, subscription, better):
    # Nothing moves in either case; but the quote promised 1500.00 on 1 April, and now the subscription ends then.
    quote = quotes.make(subscription, better, now=at(days=3), when="period_end")
    assert quote.next_charge_amount == 1500_00
    do(alice, at(days=3, seconds=5), lambda book: book.cancel(subscription))
    assert assert_stale(quote, now=at(days=3, seconds=9)).next_charge_amount is None


def test_a_quote_expires_with_the_money_or_the_period(alice, better, subscription):
    # A kopeck each ten seconds, paid as it begins: two of them last 20 s.
    [poor] = people(1)
    pay_in(poor, 2, at=NOON)
    with books.open(poor, "RUB", now=NOON) as book:
        server = book.subscribe(hourly())
    assert quotes.make(server, hourly(7_20, "faster"), now=NOON).expires_at == at(seconds=20)
    do(alice, at(days=1), lambda book: book.cancel(subscription))
    late = at(days=31) - MINUTE
    assert quotes.make(subscription, better, now=late, when="period_end").expires_at == at(days=31) - MICROSECOND


def test_money_that_came_or_went_invalidates_a_quote(alice, subscription, better):
    quote = quotes.make(subscription, better, now=at(days=3))
    pay_in(alice, 1_00, at=at(days=3, seconds=1))
    new = assert_stale(quote, now=at(days=3, seconds=2))
    assert new.balance_before == 1011_00
    do(alice, at(days=3, seconds=3), lambda book: book.withdraw(2_00, key="out", to="gateway_clearing:sandbox"))
    assert assert_stale(new, now=at(days=3, seconds=4)).balance_before == 1009_00


def test_money_that_is_missing_since_the_quote_is_named(alice, subscription, better):
    quote = quotes.make(subscription, better, now=at(days=15, hours=12))
    do(
        alice,
        at(days=15, hours=12),
        lambda book: book.withdraw(1000_00, key="out", to="gateway_clearing:sandbox"),
    )
    with pytest.raises(refusals.Refused) as error:
        quotes.accept(quote, now=at(days=15, hours=12))
    # 1500 - 10 - 493.66 in an hour.
    assert error.value.extra == {"missing": {"value": "996.34", "currency": "RUB"}}


def test_a_new_price_on_sale_invalidates_a_quote(alice, subscription, better):
    quote = quotes.make(subscription, better, now=at(days=3))
    dearer = catalogue.new_version(better, now=at(days=3), amount=1600_00)
    new = assert_stale(quote, now=at(days=3, seconds=1))
    assert (new.price, movements(new)[1]) == (dearer, ("charge", -1600_00))


def test_a_plan_that_is_hidden_since_the_quote_is_not_sold_any_more(alice, subscription, better):
    quote = quotes.make(subscription, better, now=at(days=3))
    Plan.objects.filter(pk=better.plan_id).update(is_public=False)
    before = picture(alice)
    with pytest.raises(catalogue.PlanNotFound):
        quotes.accept(quote, now=at(days=3, seconds=1))
    assert picture(alice) == before


def test_another_subscription_that_would_start_invalidates_a_quote(alice, subscription):
    """At the quote nothing else waits for the money that comes back; then a suspended one does."""
    do(alice, at(days=1), lambda book: book.withdraw(1010_00, key="out", to="gateway_clearing:sandbox"))
    quote = quotes.make(subscription, hourly(), now=at(days=3))
    assert len(quote.lines) == 1
    with books.open(alice, "RUB", now=at(days=3)) as book:
        book.top_up(20_00, key="in", source="gateway_clearing:sandbox")
        other = book.subscribe(sell("small", RUB=20_00)["RUB"])
        book.lose_dispute(20_00, key="lost")
    assert Subscription.objects.get(pk=other.pk).status == "suspended"
    with books.open(alice, "RUB", now=at(days=3)) as book:
        assert book.balance == 0
    new = assert_stale(quote, now=at(days=3, seconds=1))
    assert [line["subscription"] for line in new.lines] == [subscription.pk, other.pk]


@pytest.fixture
def seats(alice: User) -> Subscription:
    """Five seats for 310.00 each, bought at NOON with all the money there was: a seat is worth 10.00 a day."""
    pay_in(alice, 1550_00, at=NOON)
    return orders.subscribe(alice, sell("seats", RUB=310_00)["RUB"], now=NOON, quantity=5)


def test_a_quote_counts_the_use_of_a_meter_that_its_refund_starts(alice, seats):
    """A server of 36.00 an hour ran dry. Four seats of 30 days are worth 1200.00, and 41.67 less each hour."""
    pay_in(alice, 36_00, at=NOON)
    server = orders.subscribe(alice, hourly(36_00), now=NOON)
    now = at(days=1)
    quote = quotes.make(seats, seats.price, now=now, quantity=1)
    # In 15 minutes 4 x 310.00 x 43185 / 44640 = 1199.58..., less 9.00 for 15 minutes of the server.
    assert (movements(quote), quote.balance_after) == ([("unused_refund", 1199_58)], 1190_58)
    quotes.accept(quote, now=now)
    server.refresh_from_db()
    assert (server.status, balance(alice)) == ("active", 1200_00)
    assert overview.peek(alice, "RUB", now=now + 15 * MINUTE).available >= quote.balance_after
    assert broken_rules() == []


def test_a_meter_that_the_change_would_start_makes_a_new_quote(alice, seats):
    """It was paused when the quote was made. Resumed without money it waits, and the refund would start it."""
    pay_in(alice, 1, at=NOON)
    server = orders.subscribe(alice, hourly(36_00), now=NOON)
    do(alice, at(microseconds=500_000), lambda book: book.pause(server))
    then = at(days=1)
    quote = quotes.make(seats, seats.price, now=then, quantity=1)
    do(alice, then, lambda book: book.resume(server))
    settle(alice, at(days=1, seconds=2))
    server.refresh_from_db()
    assert (server.status, balance(alice)) == ("suspended", 0)
    new = assert_stale(quote, now=at(days=1, seconds=3))
    assert new.started_use == 9_00
    quotes.accept(new, now=at(days=1, seconds=4))
    server.refresh_from_db()
    assert server.status == "active"
