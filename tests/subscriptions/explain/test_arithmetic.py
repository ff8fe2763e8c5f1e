"""Every charge and refund can be recalculated from its price, and a manipulated one does not match."""

import pytest

from accounts.models import User
from ledger.models import Transaction
from subscriptions import books
from subscriptions.explain import arithmetic, sentences
from subscriptions.models import Charge, Price, Subscription
from tests.subscriptions.bank import NOON, at, balance, basic, do, guards_off, hourly, settle
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


DAY = 86_400_000_000


def weak():
    """Sell a plan for 310.00 a month with three days of grace."""
    return sell("weak", RUB=310_00, grace_days=3)["RUB"]


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
        "3.60 RUB an hour × 2 × 5 s − 0.6 × 0.01 RUB = 0.01 RUB, rounded up",
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


def basic_now():
    return Price.objects.get(plan__code="basic")


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


def test_grace_costs_its_share_of_the_unpaid_period(alice):
    begin(alice, 400_00, weak())
    settle(alice, at(days=34))
    explanation = explain(last_transaction())
    # 310.00 x 3 / 30
    assert (explanation.kind, explanation.worked_out, explanation.posted) == ("grace", 31_00, 31_00)
    assert (explanation.debt, explanation.matches) == (0, True)
    assert (explanation.span_start, explanation.span_end) == (at(days=31), at(days=34))
    assert explanation.formula == f"31000 × {3 * DAY} ÷ {30 * DAY}"
    assert sentences.of(explanation)[1:4] == [
        "Payment was overdue from 2026-04-01 12:00:00 UTC to 2026-04-04 12:00:00 UTC: 3 of 30 days.",
        "310.00 RUB a month × 1 month × 3 of 30 days = 31.00 RUB",
        "The subscription was active in this time, so it is charged.",
    ]


def test_grace_that_is_cut_short_is_rounded_up(alice):
    subscription = begin(alice, 400_00, weak())
    do(alice, at(days=32), lambda book: book.cancel(subscription))
    explanation = explain(last_transaction())
    # 310.00 / 30 = 10.3333...
    assert (explanation.kind, explanation.worked_out, explanation.matches) == ("grace", 10_34, True)
    assert sentences.arithmetic(explanation).endswith("× 1 of 30 days = 10.34 RUB, rounded up")


@pytest.mark.parametrize(("paid", "debt"), [(10_00, 21_00), (0, 31_00)])
def test_grace_that_the_balance_cannot_pay_becomes_a_debt(alice, paid, debt):
    begin(alice, 310_00 + paid, weak())
    settle(alice, at(days=34))
    charge = Charge.objects.latest("id")
    rows = [row for row in (charge.transaction, charge.debt_transaction) if row]
    assert sum(row.amount for row in rows) == 31_00
    for row in rows:
        explanation = explain(row)
        assert (explanation.kind, explanation.worked_out, explanation.posted) == ("grace", 31_00, 31_00)
        assert (explanation.debt, explanation.matches) == (debt, True)
        assert sentences.of(explanation)[4] == (
            f"{paid // 100}.00 RUB was charged to the balance and {debt // 100}.00 RUB became a debt."
        )
    assert set(arithmetic.explainable(alice.pk)) == set(Transaction.objects.filter(customer=alice))


def test_a_wrong_debt_does_not_match(alice):
    begin(alice, 320_00, weak())
    settle(alice, at(days=34))
    with guards_off("ledger_transaction"):
        Transaction.objects.filter(wallet=None).update(amount=20_99)
    explanation = explain(last_transaction())
    assert (explanation.worked_out, explanation.posted, explanation.matches) == (31_00, 30_99, False)


def test_a_payment_in_the_grace_is_a_whole_period(alice):
    begin(alice, 310_00, weak())
    pay_in(alice, 310_00, at=at(days=33))
    explanation = explain(last_transaction())
    assert (explanation.kind, explanation.worked_out, explanation.matches) == ("period", 310_00, True)
    assert (explanation.span_start, explanation.span_end) == (at(days=31), at(days=61))


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


def test_a_wrong_difference_does_not_match(alice):
    subscription = begin(alice, 5000_00, basic())
    do(alice, at(days=10), lambda book: book.change_quantity(subscription, 3))
    with guards_off("ledger_transaction"):
        Transaction.objects.filter(pk=last_transaction().pk).update(amount=1341_29)
    explanation = explain(last_transaction())
    assert (explanation.worked_out, explanation.posted, explanation.matches) == (1341_30, 1341_29, False)


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
