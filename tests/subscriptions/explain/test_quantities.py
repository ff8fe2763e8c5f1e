"""A change of the quantity within a period: its difference is charged or refunded, and told apart from a new period."""

import pytest

from ledger.models import Transaction
from subscriptions.explain import sentences
from tests.subscriptions.bank import NOON, at, balance, basic, do, guards_off
from tests.subscriptions.explain.history import DAY, basic_now, begin, explain, last_transaction
from tests.subscriptions.shop import pay_in, sell

pytestmark = pytest.mark.django_db


def test_more_of_a_plan_costs_the_difference_for_the_time_left(alice):
    subscription = begin(alice, 5000_00, basic())
    do(alice, at(days=10), lambda book: book.change_quantity(subscription, 3))
    explanation = explain(last_transaction())
    # (2970.00 - 990.00) x 21 / 31 = 1341.2903...
    assert (explanation.kind, explanation.worked_out, explanation.posted) == ("difference", 1341_30, 1341_30)
    assert (explanation.previous_quantity, explanation.quantity, explanation.matches) == (1, 3, True)
    assert (explanation.span_start, explanation.span_end) == (at(days=10), at(days=31))
    assert explanation.formula == f"(297000 − 99000) × {21 * DAY} ÷ {31 * DAY}, rounded up"
    assert sentences.of(explanation)[1:3] == [
        (
            "The quantity changed from 1 to 3. Time left, from 2026-03-11 12:00:00 UTC to 2026-04-01 12:00:00 UTC: "
            "21 of 31 days."
        ),
        "990.00 RUB a month × 2 × 1 month × 21 of 31 days = 1341.30 RUB, rounded up",
    ]


def test_a_difference_counts_all_periods_of_a_payment(alice):
    subscription = begin(alice, 5000_00, basic(), periods=2)
    do(alice, at(days=1), lambda book: book.change_quantity(subscription, 2))
    explanation = explain(last_transaction())
    # 990.00 x 2 months x 60 / 61 = 1947.5409...
    assert (explanation.kind, explanation.worked_out, explanation.matches) == ("difference", 1947_55, True)
    assert sentences.arithmetic(explanation) == (
        "990.00 RUB a month × 2 months × 60 of 61 days = 1947.55 RUB, rounded up"
    )


def test_less_of_a_plan_refunds_the_difference_for_the_time_left(alice):
    subscription = begin(alice, 5000_00, basic(), quantity=3)
    do(alice, at(days=10), lambda book: book.change_quantity(subscription, 1))
    explanation = explain(last_transaction("unused_refund"))
    assert (explanation.kind, explanation.worked_out, explanation.posted) == ("unused", 1341_29, 1341_29)
    assert (explanation.previous_quantity, explanation.quantity, explanation.matches) == (3, 1, True)
    assert explanation.formula == f"(297000 − 99000) × {21 * DAY} ÷ {31 * DAY}, rounded down"
    assert sentences.of(explanation)[1:3] == [
        (
            "The quantity changed from 3 to 1. Time left, from 2026-03-11 12:00:00 UTC to 2026-04-01 12:00:00 UTC: "
            "21 of 31 days."
        ),
        "990.00 RUB a month × 2 × 1 month × 21 of 31 days = 1341.29 RUB, rounded down",
    ]


def test_quantities_changed_at_one_instant_are_told_apart(alice):
    subscription = begin(alice, 10_000_00, basic())
    do(
        alice, NOON,
        lambda book: book.change_quantity(subscription, 3),
        lambda book: book.change_quantity(subscription, 2),
        lambda book: book.change_quantity(subscription, 5),
    )  # fmt: skip
    rows = Transaction.objects.exclude(reason="top_up").order_by("id")
    found = [(e.kind, e.previous_quantity, e.quantity, e.worked_out, e.matches) for e in map(explain, rows)]
    assert found == [
        ("period", None, 1, 990_00, True),
        ("difference", 1, 3, 1980_00, True),
        ("unused", 3, 2, 990_00, True),
        ("difference", 2, 5, 2970_00, True),
    ]


def test_a_plan_left_and_taken_again_at_one_instant_is_paid_anew(alice):
    subscription = begin(alice, 10_000_00, basic())
    other = sell("other", RUB=1500_00)["RUB"]
    do(
        alice, NOON,
        lambda book: book.change_quantity(subscription, 2),
        lambda book: book.change_plan(subscription, other),
        lambda book: book.change_plan(subscription, basic_now()),
    )  # fmt: skip
    rows = Transaction.objects.exclude(reason="top_up").order_by("id")
    found = [(e.kind, e.previous_quantity, e.worked_out, e.matches) for e in map(explain, rows)]
    assert found == [
        ("period", None, 990_00, True), ("difference", 1, 990_00, True),
        ("unused", None, 1980_00, True), ("period", None, 3000_00, True),
        ("unused", None, 3000_00, True), ("period", None, 1980_00, True),
    ]  # fmt: skip


@pytest.mark.parametrize(("before", "after"), [(1, 2), (2, 1)])
def test_a_restart_with_another_quantity_after_a_dispute_is_a_whole_period(alice, before, after):
    subscription = begin(alice, before * 990_00, basic(), quantity=before)
    do(
        alice, NOON,
        lambda book: book.lose_dispute(before * 990_00, key="dispute"),
        lambda book: book.change_quantity(subscription, after),
    )  # fmt: skip
    pay_in(alice, after * 990_00, at=NOON)
    assert balance(alice) == 0
    rows = Transaction.objects.filter(reason__in=("charge", "unused_refund")).order_by("id")
    found = [(e.kind, e.previous_quantity, e.quantity, e.worked_out, e.matches) for e in map(explain, rows)]
    assert found == [
        ("period", None, before, before * 990_00, True),
        ("unused", None, before, before * 990_00, True),
        ("period", None, after, after * 990_00, True),
    ]


def test_a_refund_counts_the_quantity_of_its_charge(alice):
    subscription = begin(alice, 5000_00, basic())
    do(alice, at(days=10), lambda book: book.change_quantity(subscription, 3))
    do(alice, at(days=15), lambda book: book.cancel(subscription, when="now", refund_unused=True))
    explanation = explain(last_transaction("unused_refund"))
    # 2970.00 x 16 / 31 = 1532.9032...
    assert (explanation.worked_out, explanation.posted, explanation.matches) == (1532_90, 1532_90, True)
    assert (explanation.previous_quantity, explanation.quantity) == (None, 3)
    assert sentences.arithmetic(explanation) == (
        "990.00 RUB a month × 3 × 1 month × 16 of 31 days = 1532.90 RUB, rounded down"
    )


def test_a_wrong_difference_does_not_match(alice):
    subscription = begin(alice, 5000_00, basic())
    do(alice, at(days=10), lambda book: book.change_quantity(subscription, 3))
    with guards_off("ledger_transaction"):
        Transaction.objects.filter(pk=last_transaction().pk).update(amount=1341_29)
    explanation = explain(last_transaction())
    assert (explanation.worked_out, explanation.posted, explanation.matches) == (1341_30, 1341_29, False)
