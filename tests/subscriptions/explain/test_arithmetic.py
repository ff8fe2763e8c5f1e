"""Every charge and refund can be recalculated from its price, and a manipulated one does not match."""

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


def last_transaction(reason: str = "charge") -> Transaction:
    return Transaction.objects.filter(reason=reason).latest("id")


def explain(transaction: Transaction) -> arithmetic.Explanation:
    explanation = arithmetic.explain(transaction)
    assert explanation is not None
    return explanation


def test_a_period_costs_amount_times_quantity_times_periods(alice):
    begin(alice, 10_000_00, basic(), quantity=3, periods=2)
    explanation = explain(last_transaction())
    assert (explanation.kind, explanation.formula, explanation.worked_out, explanation.posted) == (
        "period",
        "99000 × 3 × 2",
        594000,
        594000,
    )
    assert (explanation.span_start, explanation.span_end, explanation.matches) == (NOON, NOON.replace(month=5), True)


def test_a_slice_costs_rate_times_time_plus_the_carried_fraction(alice):
    begin(alice, 100_00, hourly(), quantity=2)
    settle(alice, at(seconds=7))
    settle(alice, at(seconds=12))
    explanation = explain(last_transaction())
    # At 720 kopecks an hour 7 s cost 1.4: 1 is charged, 0.4 carried. 5 s more cost 1, and 0.4 is carried on.
    carried = 4 * 3_600_000_000 // 10
    assert (explanation.kind, explanation.worked_out, explanation.posted, explanation.matches) == ("slice", 1, 1, True)
    assert (explanation.remainder_before, explanation.remainder_after, explanation.rate_length) == (
        carried,
        carried,
        3_600_000_000,
    )
    assert explanation.formula == f"(720 × 5000000 + {carried}) ÷ 3600000000 = 1, {carried} carried over"


def test_a_charge_for_leftover_fractions_is_explained(alice):
    # A kopeck each ten seconds: 7 s leave 0.7, the other 16 s leave 0.6, which adds up to 1.3.
    short, long = begin(alice, 100_00, hourly()), begin(alice, 100_00, hourly(code="other"))
    do(alice, at(seconds=7), lambda book: book.cancel(short))
    do(alice, at(seconds=16), lambda book: book.cancel(long))
    explanation = explain(last_transaction())
    before, after = 13 * 360_000_000, 3 * 360_000_000
    assert (explanation.kind, explanation.worked_out, explanation.posted, explanation.matches) == (
        "leftover",
        1,
        1,
        True,
    )
    assert explanation.formula == f"{before} ÷ 3600000000 = 1, {after} carried over"
    assert sentences.of(explanation)[1:3] == [
        "Fractions of earlier use that added up to a whole unit by 2026-03-01 12:00:16 UTC.",
        "1.3 × 0.01 RUB = 0.01 RUB, and 0.3 × 0.01 RUB is carried to the next charge",
    ]


def test_a_refund_is_the_unused_share_of_the_payment(alice):
    subscription = begin(alice, 990_00, basic())
    do(alice, at(days=10), lambda book: book.cancel(subscription, when="now", refund_unused=True))
    explanation = explain(last_transaction("unused_refund"))
    # 21 of 31 days, in microseconds.
    day = 86_400_000_000
    assert (explanation.kind, explanation.formula) == ("unused", f"99000 × {21 * day} ÷ {31 * day}")
    assert (explanation.worked_out, explanation.posted, explanation.matches) == (670_64, 670_64, True)
    assert (explanation.span_start, explanation.span_end) == (at(days=10), at(days=31))


def test_a_refund_of_a_paused_period_is_explained(alice):
    subscription = begin(alice, 990_00, basic())
    do(alice, at(days=10), lambda book: book.pause(subscription))
    do(alice, at(days=50), lambda book: book.cancel(subscription, refund_unused=True))
    explanation = explain(last_transaction("unused_refund"))
    assert (explanation.worked_out, explanation.posted, explanation.matches) == (670_64, 670_64, True)


def test_a_refund_of_a_resumed_period_is_a_share_of_the_full_payment(alice):
    subscription = begin(alice, 990_00, basic())
    do(alice, at(days=10), lambda book: book.pause(subscription))
    do(alice, at(days=20), lambda book: book.resume(subscription))
    do(alice, at(days=25), lambda book: book.pause(subscription))
    do(alice, at(days=40), lambda book: book.resume(subscription))
    # Used: 10 + 5 + 6 days; 10 of 31 are left: 990 x 10 / 31 = 319.354...
    do(alice, at(days=46), lambda book: book.cancel(subscription, when="now", refund_unused=True))
    explanation = explain(last_transaction("unused_refund"))
    assert (explanation.worked_out, explanation.posted, explanation.matches) == (319_35, 319_35, True)


def test_a_refund_of_a_plan_change_uses_the_old_price(alice):
    subscription = begin(alice, 2000_00, basic())
    other = sell("other", RUB=1500_00)["RUB"]
    do(alice, at(days=15, hours=12), lambda book: book.change_plan(subscription, other))
    explanation = explain(last_transaction("unused_refund"))
    assert (explanation.price.plan.code, explanation.worked_out, explanation.matches) == ("basic", 495_00, True)
    assert explain(last_transaction()).price == other


def test_top_ups_and_withdrawals_have_no_explanation(alice):
    pay_in(alice, 1_00, at=NOON)
    do(alice, NOON, lambda book: book.withdraw(1, key="out", to="gateway_clearing:sandbox"))
    for transaction in Transaction.objects.all():
        assert arithmetic.explain(transaction) is None


def test_all_transactions_of_many_operations_match_their_explanation(alice):
    subscription = begin(alice, 5000_00, basic())
    server, better = hourly(), sell("better", RUB=1500_00)["RUB"]
    do(alice, at(days=2, seconds=1), lambda book: book.subscribe(server))
    do(alice, at(days=3, seconds=7), lambda book: book.change_plan(subscription, server))
    do(alice, at(days=4, seconds=9), lambda book: book.change_plan(subscription, better))
    do(alice, at(days=9, seconds=2), lambda book: book.pause(subscription))
    do(alice, at(days=12, seconds=5), lambda book: book.resume(subscription))
    do(alice, at(days=20, seconds=3), lambda book: book.change_plan(subscription, basic_again()))
    settle(alice, at(days=90, seconds=1))
    rows = Transaction.objects.exclude(reason="top_up")
    assert rows.count() >= 8
    assert [row.key for row in rows if not explain(row).matches] == []


def basic_again():
    return sell("again", RUB=330_00)["RUB"]


def test_a_wrong_amount_of_a_period_does_not_match(alice):
    begin(alice, 2000_00, basic())
    with guards_off("ledger_transaction"):
        Transaction.objects.filter(reason="charge").update(amount=991_00)
    explanation = explain(last_transaction())
    assert (explanation.worked_out, explanation.posted, explanation.matches) == (990_00, 991_00, False)


def test_a_wrong_amount_or_fraction_of_a_slice_does_not_match(alice):
    begin(alice, 100_00, hourly())
    settle(alice, at(hours=1))
    assert explain(last_transaction()).matches
    with guards_off("subscriptions_charge"):
        Charge.objects.update(remainder_after=5)
    assert not explain(last_transaction()).matches
    with guards_off("subscriptions_charge"):
        Charge.objects.update(remainder_after=0)
    assert explain(last_transaction()).matches
    with guards_off("ledger_transaction"):
        Transaction.objects.filter(reason="charge").update(amount=3_61)
    assert not explain(last_transaction()).matches


def test_a_wrong_refund_or_end_does_not_match(alice):
    subscription = begin(alice, 990_00, basic())
    do(alice, at(days=10), lambda book: book.cancel(subscription, when="now", refund_unused=True))
    with guards_off("subscriptions_charge"):
        Charge.objects.update(ended_at=at(days=9))
    assert not explain(last_transaction("unused_refund")).matches
    with guards_off("subscriptions_charge"):
        Charge.objects.update(ended_at=at(days=10))
    with guards_off("ledger_transaction"):
        Transaction.objects.filter(reason="unused_refund").update(amount=670_65)
    assert not explain(last_transaction("unused_refund")).matches
