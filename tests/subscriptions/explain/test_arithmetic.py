"""Every transaction of a book can be worked out again from its price; one that was tampered with shows."""

import pytest

from accounts.models import User
from ledger.models import Transaction
from subscriptions import books
from subscriptions.explain import arithmetic, sentences
from subscriptions.models import Charge, Subscription
from tests.subscriptions.bank import NOON, at, basic, do, guards_off, hourly, settle
from tests.subscriptions.shop import pay_in, sell

pytestmark = pytest.mark.django_db


def begin(user: User, money: int, price, **terms) -> Subscription:
    pay_in(user, money, at=NOON)
    with books.open(user, "RUB", now=NOON) as book:
        return book.subscribe(price, **terms)


def last(reason: str = "charge") -> Transaction:
    return Transaction.objects.filter(reason=reason).latest("id")


def explained(transaction: Transaction) -> arithmetic.Explanation:
    found = arithmetic.explain(transaction)
    assert found is not None
    return found


def test_a_period_is_amount_times_quantity_times_periods(alice):
    begin(alice, 10_000_00, basic(), quantity=3, periods=2)
    found = explained(last())
    assert (found.kind, found.formula, found.worked_out, found.posted) == ("period", "99000 × 3 × 2", 594000, 594000)
    assert (found.span_start, found.span_end, found.matches) == (NOON, NOON.replace(month=5), True)


def test_a_slice_is_rate_times_time_and_what_was_carried(alice):
    begin(alice, 100_00, hourly(), quantity=2)
    settle(alice, at(seconds=7))
    settle(alice, at(seconds=12))
    found = explained(last())
    # 720 an hour: 7 s are 1.4 kopecks, 1 and 0.4 carried; 5 s more are 1, and the 0.4 is carried on.
    carried = 4 * 3_600_000_000 // 10
    assert (found.kind, found.worked_out, found.posted, found.matches) == ("slice", 1, 1, True)
    assert (found.remainder_before, found.remainder_after, found.rate_length) == (carried, carried, 3_600_000_000)
    assert found.formula == f"(720 × 5000000 + {carried}) ÷ 3600000000 = 1, {carried} carried on"


def test_fractions_that_came_to_a_whole_are_told_as_that(alice):
    # A kopeck each ten seconds: 7 s of one leave 0.7; of the other's 16 s 0.6 are left, which makes 1.3.
    short, long = begin(alice, 100_00, hourly()), begin(alice, 100_00, hourly(code="other"))
    do(alice, at(seconds=7), lambda book: book.cancel(short))
    do(alice, at(seconds=16), lambda book: book.cancel(long))
    found = explained(last())
    before, after = 13 * 360_000_000, 3 * 360_000_000
    assert (found.kind, found.worked_out, found.posted, found.matches) == ("leftover", 1, 1, True)
    assert found.formula == f"{before} ÷ 3600000000 = 1, {after} carried on"
    assert sentences.of(found)[1:3] == [
        "Fractions of earlier use, which had come to a whole by 2026-03-01 12:00:16 UTC.",
        "1.3 × 0.01 RUB = 0.01 RUB, and 0.3 × 0.01 RUB is carried on to the next charge",
    ]


def test_unused_time_is_its_share_of_what_was_paid(alice):
    mine = begin(alice, 990_00, basic())
    do(alice, at(days=10), lambda book: book.cancel(mine, when="now", refund_unused=True))
    found = explained(last("unused_refund"))
    # 21 of 31 days, in microseconds.
    day = 86_400_000_000
    assert (found.kind, found.formula) == ("unused", f"99000 × {21 * day} ÷ {31 * day}")
    assert (found.worked_out, found.posted, found.matches) == (670_64, 670_64, True)
    assert (found.span_start, found.span_end) == (at(days=10), at(days=31))


def test_unused_time_of_a_paused_period(alice):
    mine = begin(alice, 990_00, basic())
    do(alice, at(days=10), lambda book: book.pause(mine))
    do(alice, at(days=50), lambda book: book.cancel(mine, refund_unused=True))
    found = explained(last("unused_refund"))
    assert (found.worked_out, found.posted, found.matches) == (670_64, 670_64, True)


def test_unused_time_of_a_resumed_rest_is_of_what_the_whole_period_cost(alice):
    mine = begin(alice, 990_00, basic())
    do(alice, at(days=10), lambda book: book.pause(mine))
    do(alice, at(days=20), lambda book: book.resume(mine))
    do(alice, at(days=25), lambda book: book.pause(mine))
    do(alice, at(days=40), lambda book: book.resume(mine))
    # Used: 10 + 5 + 6 days; 10 of 31 are left: 990 x 10 / 31 = 319.354...
    do(alice, at(days=46), lambda book: book.cancel(mine, when="now", refund_unused=True))
    found = explained(last("unused_refund"))
    assert (found.worked_out, found.posted, found.matches) == (319_35, 319_35, True)


def test_unused_time_of_a_plan_change_is_by_the_price_it_was_paid_under(alice):
    mine = begin(alice, 2000_00, basic())
    other = sell("other", RUB=1500_00)["RUB"]
    do(alice, at(days=15, hours=12), lambda book: book.change_plan(mine, other))
    found = explained(last("unused_refund"))
    assert (found.price.plan.code, found.worked_out, found.matches) == ("basic", 495_00, True)
    assert explained(last()).price == other


def test_money_that_no_rule_worked_out_has_no_explanation(alice):
    pay_in(alice, 1_00, at=NOON)
    do(alice, NOON, lambda book: book.withdraw(1, key="out", to="gateway_clearing:sandbox"))
    for transaction in Transaction.objects.all():
        assert arithmetic.explain(transaction) is None


def test_everything_that_a_busy_life_posts_is_explained_and_matches(alice):
    mine = begin(alice, 5000_00, basic())
    server, better = hourly(), sell("better", RUB=1500_00)["RUB"]
    do(alice, at(days=2, seconds=1), lambda book: book.subscribe(server))
    do(alice, at(days=3, seconds=7), lambda book: book.change_plan(mine, server))
    do(alice, at(days=4, seconds=9), lambda book: book.change_plan(mine, better))
    do(alice, at(days=9, seconds=2), lambda book: book.pause(mine))
    do(alice, at(days=12, seconds=5), lambda book: book.resume(mine))
    do(alice, at(days=20, seconds=3), lambda book: book.change_plan(mine, basic_again()))
    settle(alice, at(days=90, seconds=1))
    rows = Transaction.objects.exclude(reason="top_up")
    assert rows.count() >= 8
    assert [row.key for row in rows if not explained(row).matches] == []


def basic_again():
    return sell("again", RUB=330_00)["RUB"]


def test_a_planted_amount_of_a_period_does_not_match(alice):
    begin(alice, 2000_00, basic())
    with guards_off("ledger_transaction"):
        Transaction.objects.filter(reason="charge").update(amount=991_00)
    found = explained(last())
    assert (found.worked_out, found.posted, found.matches) == (990_00, 991_00, False)


def test_a_planted_amount_or_fraction_of_a_slice_does_not_match(alice):
    begin(alice, 100_00, hourly())
    settle(alice, at(hours=1))
    assert explained(last()).matches
    with guards_off("subscriptions_charge"):
        Charge.objects.update(remainder_after=5)
    assert not explained(last()).matches
    with guards_off("subscriptions_charge"):
        Charge.objects.update(remainder_after=0)
    assert explained(last()).matches
    with guards_off("ledger_transaction"):
        Transaction.objects.filter(reason="charge").update(amount=3_61)
    assert not explained(last()).matches


def test_a_planted_refund_or_a_planted_end_does_not_match(alice):
    mine = begin(alice, 990_00, basic())
    do(alice, at(days=10), lambda book: book.cancel(mine, when="now", refund_unused=True))
    with guards_off("subscriptions_charge"):
        Charge.objects.update(ended_at=at(days=9))
    assert not explained(last("unused_refund")).matches
    with guards_off("subscriptions_charge"):
        Charge.objects.update(ended_at=at(days=10))
    with guards_off("ledger_transaction"):
        Transaction.objects.filter(reason="unused_refund").update(amount=670_65)
    assert not explained(last("unused_refund")).matches
