"""Days of grace that no payment followed: their charge, and the part of it that became a debt."""

import pytest

from ledger.models import Transaction
from subscriptions.explain import arithmetic, sentences
from subscriptions.models import Charge
from tests.subscriptions.bank import at, do, guards_off, settle
from tests.subscriptions.explain.history import DAY, begin, explain, last_transaction
from tests.subscriptions.shop import pay_in, sell

pytestmark = pytest.mark.django_db


def weak():
    """Sell a plan for 310.00 a month with three days of grace."""
    return sell("weak", RUB=310_00, grace_days=3)["RUB"]


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
