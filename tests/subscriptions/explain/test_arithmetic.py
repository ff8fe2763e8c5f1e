"""Every charge and refund can be recalculated from its price, and a manipulated one does not match."""

import pytest

from ledger.models import Transaction
from subscriptions.explain import arithmetic, sentences
from subscriptions.models import Charge
from tests.subscriptions.bank import NOON, at, basic, do, guards_off, hourly, settle
from tests.subscriptions.explain.history import DAY, basic_now, begin, explain, last_transaction
from tests.subscriptions.shop import pay_in, sell

pytestmark = pytest.mark.django_db


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


def test_a_period_costs_the_quantity_at_its_time(alice):
    subscription = begin(alice, 10_000_00, basic(), quantity=3)
    do(alice, at(days=1), lambda book: book.change_quantity(subscription, 1, when="period_end"))
    settle(alice, at(days=31))
    first, second = Transaction.objects.filter(reason="charge").order_by("id")
    assert (explain(first).formula, explain(first).matches) == ("99000 × 3 × 1", True)
    assert (explain(second).kind, explain(second).formula, explain(second).matches) == ("period", "99000 × 1 × 1", True)


def test_a_slice_costs_its_begun_units_less_what_was_left(alice):
    begin(alice, 100_00, hourly(), quantity=2)
    settle(alice, at(seconds=7))
    settle(alice, at(seconds=12))
    # 720 kopecks an hour are one in 5 s. 7 s use 1.4: 2 are charged and 0.6 is left. 5 s more use 1, of which 0.6 is
    # paid for: 1 more is charged, and 0.6 is left again.
    left = 6 * 360_000_000
    first, second = map(explain, Transaction.objects.filter(reason="charge").order_by("id"))
    assert (first.kind, first.worked_out, first.posted, first.matches) == ("slice", 2, 2, True)
    assert (first.credit_before, first.credit_after, first.rate_length) == (0, left, 3_600_000_000)
    assert (second.worked_out, second.posted, second.matches) == (1, 1, True)
    assert (second.credit_before, second.credit_after) == (left, left)
    assert second.formula == (
        f"(720 × 5000000 − {left}) ÷ 3600000000 = 1, rounded up; left for the next charge: {left} ÷ 3600000000"
    )
    assert sentences.of(second)[2:5] == [
        "3.60 RUB an hour × 2 × 5 s − the part of 0.01 RUB already paid = 0.01 RUB, rounded up",
        "Use is charged in advance, 0.01 RUB at a time.",
        "0.6 × 0.01 RUB was left from the previous charge.",
    ]
    assert sentences.of(second)[5] == "0.6 × 0.01 RUB is not used yet and counts towards the next charge."


def test_a_slice_that_uses_whole_units_leaves_nothing(alice):
    begin(alice, 100_00, hourly())
    settle(alice, at(seconds=20))
    explanation = explain(last_transaction())
    assert (explanation.worked_out, explanation.credit_after, explanation.matches) == (2, 0, True)
    assert explanation.formula == "(360 × 20000000 − 0) ÷ 3600000000 = 2; left for the next charge: 0"
    assert sentences.of(explanation)[2:] == [
        "3.60 RUB an hour × 20 s = 0.02 RUB", "Recalculated just now: the amount is correct.",
    ]  # fmt: skip


def test_a_slice_uses_the_quantity_at_its_time(alice):
    subscription = begin(alice, 100_00, hourly())
    do(alice, at(seconds=100), lambda book: book.change_quantity(subscription, 3))
    settle(alice, at(seconds=200))
    first, second = map(explain, Transaction.objects.filter(reason="charge").order_by("id"))
    # A kopeck each 10 s for one, three for three.
    assert [(each.quantity, each.worked_out, each.matches) for each in (first, second)] == [
        (1, 10, True),
        (3, 30, True),
    ]


def test_a_refund_is_the_unused_share_of_the_payment(alice):
    subscription = begin(alice, 990_00, basic())
    do(alice, at(days=10), lambda book: book.cancel(subscription, when="now", refund_unused=True))
    explanation = explain(last_transaction("unused_refund"))
    # 21 of 31 days, in microseconds.
    assert (explanation.kind, explanation.formula) == ("unused", f"99000 × {21 * DAY} ÷ {31 * DAY}, rounded down")
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


def test_movements_without_a_price_have_no_explanation(alice):
    pay_in(alice, 1_00, at=NOON)
    do(
        alice, NOON,
        lambda book: book.withdraw(1, key="out", to="gateway_clearing:sandbox"),
        lambda book: book.lose_dispute(2_00, key="lost"),
    )  # fmt: skip
    pay_in(alice, 3_00, at=NOON)
    rows = Transaction.objects.all()
    assert {row.reason for row in rows} == {"top_up", "refund", "chargeback", "debt_payment"}
    for row in rows:
        assert arithmetic.explain(row) is None
    # The customer sees what moved their balance.
    assert set(arithmetic.explainable(alice.pk)) == set(rows.exclude(wallet=None))


def test_all_transactions_of_many_operations_match_their_explanation(alice):
    subscription = begin(alice, 9000_00, basic())
    server, better = hourly(), sell("better", RUB=1500_00, grace_days=5)["RUB"]
    do(alice, at(days=2, seconds=1), lambda book: book.subscribe(server))
    do(alice, at(days=2, hours=7), lambda book: book.change_quantity(subscription, 2))
    do(alice, at(days=3, seconds=7), lambda book: book.change_plan(subscription, server))
    do(alice, at(days=3, seconds=9), lambda book: book.change_quantity(subscription, 7))
    do(alice, at(days=4, seconds=9), lambda book: book.change_plan(subscription, basic_now()))
    do(alice, at(days=5, seconds=9), lambda book: book.change_quantity(subscription, 1))
    do(alice, at(days=9, seconds=2), lambda book: book.pause(subscription))
    do(alice, at(days=12, seconds=5), lambda book: book.resume(subscription))
    do(alice, at(days=13, seconds=5), lambda book: book.change_quantity(subscription, 2))
    do(alice, at(days=20, seconds=3), lambda book: book.change_plan(subscription, better))
    settle(alice, at(days=90, seconds=1))
    explanations = [explain(row) for row in Transaction.objects.exclude(reason="top_up")]
    assert {each.kind for each in explanations} == {"period", "slice", "difference", "unused", "grace"}
    assert [each for each in explanations if not each.matches] == []


def test_a_wrong_amount_of_a_period_does_not_match(alice):
    begin(alice, 2000_00, basic())
    with guards_off("ledger_transaction"):
        Transaction.objects.filter(reason="charge").update(amount=991_00)
    explanation = explain(last_transaction())
    assert (explanation.worked_out, explanation.posted, explanation.matches) == (990_00, 991_00, False)


def test_a_wrong_amount_or_rest_of_a_slice_does_not_match(alice):
    begin(alice, 100_00, hourly())
    settle(alice, at(hours=1))
    assert explain(last_transaction()).matches
    with guards_off("subscriptions_charge"):
        Charge.objects.update(credit_after=5)
    assert not explain(last_transaction()).matches
    with guards_off("subscriptions_charge"):
        Charge.objects.update(credit_after=0)
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
