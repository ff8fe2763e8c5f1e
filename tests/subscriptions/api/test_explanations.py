"""GET /api/transactions/txn_.../explain: how an amount was calculated, in numbers and in words."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine

from accounts.models import User
from ledger.models import Transaction
from subscriptions import books, catalogue
from subscriptions.models import Charge, Price, Subscription
from tests.subscriptions.bank import guards_off
from tests.subscriptions.shop import START, client, params, pay_in, sell

pytestmark = pytest.mark.django_db
ALL = "/api/subscriptions/"
GOOD = "Recalculated just now: the amount is correct."


@pytest.fixture(autouse=True)
def _shop(time_machine: time_machine.TimeMachineFixture) -> None:
    time_machine.move_to(START, tick=False)
    sell("basic", RUB=990_00)
    sell("vm", RUB=1_00, interval="hour", metered=True)


def order(user: User, plan: str, **more: Any) -> str:
    return str(client(user).post(ALL, {"plan": plan, **more}).json()["id"])


def settle(user: User, **later: float) -> None:
    with books.open(user, "RUB", now=START + timedelta(**later)):
        pass


def last(user: User, reason: str = "charge") -> Transaction:
    return Transaction.objects.filter(customer=user, reason=reason).latest("id")


def explain(user: User, row: Transaction) -> dict[str, Any]:
    answer = client(user).get(f"/api/transactions/txn_{row.pk}/explain")
    assert answer.status_code == 200
    return dict(answer.json())


def rub(value: str) -> dict[str, str]:
    return {"value": value, "currency": "RUB"}


def test_metered_use_costs_the_rate_times_the_time(alice: User) -> None:
    pay_in(alice, 24_00)
    vm = order(alice, "vm")
    settle(alice, hours=2, minutes=30)
    row = last(alice)
    assert explain(alice, row) == {
        "transaction": f"txn_{row.pk}", "kind": "slice", "reason": "charge", "subscription": vm, "plan": "vm",
        "price": {"amount": rub("1.00"), "interval": "hour", "interval_count": 1, "billing": "metered",
                  "trial_days": 0, "trial_quantity_max": 10, "grace_days": 0, "keep_days": 30,
                  "can_pause": True, "can_refund_unused": True, "version": 1},
        "quantity": 1, "previous_quantity": None, "periods": 1,
        "span": {"start": "2026-03-01T00:00:00Z", "end": "2026-03-01T02:30:00Z"},
        "formula": "(100 × 9000000000 − 0) ÷ 3600000000 = 250; left for the next charge: 0",
        "worked_out": rub("2.50"), "posted": rub("2.50"), "debt": None, "match": True,
        "credit": {"before": 0, "after": 0, "denominator": 3_600_000_000}, "counterpart": None,
        "steps": [
            "Vm, price version 1: 1.00 RUB an hour.",
            "Used from 2026-03-01 00:00:00 UTC to 2026-03-01 02:30:00 UTC: 2 h 30 min.",
            "1.00 RUB an hour × 2 h 30 min = 2.50 RUB",
            GOOD,
        ],
    }  # fmt: skip


def test_what_is_left_of_a_minor_unit_is_explained(alice: User) -> None:
    pay_in(alice, 24_00)
    order(alice, "vm", quantity=3)
    settle(alice, seconds=13)
    settle(alice, seconds=60.5)
    body = explain(alice, last(alice))
    # 3.00 an hour is a kopeck every 12 s. 13 s use 1 1/12: 2 are charged and 11/12 is left. Another 47.5 s use
    # 3.958..., so 3.041... are needed: 4 are charged and 0.958... is left.
    assert body["credit"] == {"before": 3_300_000_000, "after": 3_450_000_000, "denominator": 3_600_000_000}
    assert body["steps"][2:-1] == [
        "1.00 RUB an hour × 3 × 47.5 s − the part of 0.01 RUB already paid = 0.04 RUB, rounded up",
        "Use is charged in advance, 0.01 RUB at a time.",
        "≈0.916666 × 0.01 RUB was left from the previous charge.",
        "≈0.958333 × 0.01 RUB is not used yet and counts towards the next charge.",
    ]
    assert (body["worked_out"], body["match"]) == (rub("0.04"), True)


def test_another_quantity_costs_or_refunds_the_difference(alice: User) -> None:
    sell("seats", RUB=310_00)
    pay_in(alice, 2000_00)
    row = Subscription.objects.get(public_id=order(alice, "seats", quantity=2))
    for days, quantity in ((10, 5), (20, 1)):
        with books.open(alice, "RUB", now=START + timedelta(days=days)) as book:
            book.change_quantity(row, quantity)
    body = explain(alice, last(alice))
    assert (body["kind"], body["previous_quantity"], body["quantity"]) == ("difference", 2, 5)
    assert body["span"] == {"start": "2026-03-11T00:00:00Z", "end": "2026-04-01T00:00:00Z"}
    # Three for 21 of 31 days, then four for 11 of 31.
    assert (body["worked_out"], body["posted"], body["match"]) == (rub("630.00"), rub("630.00"), True)
    assert body["steps"][1:-1] == [
        (
            "The quantity changed from 2 to 5. Time left, from 2026-03-11 00:00:00 UTC to 2026-04-01 00:00:00 UTC: "
            "21 of 31 days."
        ),
        "310.00 RUB a month × 3 × 1 month × 21 of 31 days = 630.00 RUB",
    ]
    body = explain(alice, last(alice, "unused_refund"))
    assert (body["kind"], body["previous_quantity"], body["quantity"]) == ("unused", 5, 1)
    assert (body["worked_out"], body["posted"], body["match"]) == (rub("440.00"), rub("440.00"), True)


def test_grace_names_what_was_paid_and_the_debt(alice: User) -> None:
    sell("weak", RUB=310_00, grace_days=3)
    pay_in(alice, 320_00)
    order(alice, "weak")
    settle(alice, days=34)
    charge = Charge.objects.latest("id")
    for row in (charge.transaction, charge.debt_transaction):
        assert row is not None
        body = explain(alice, row)
        # 3 of the 30 days of April cost 31.00, of which 10.00 were there.
        assert (body["kind"], body["span"]["end"]) == ("grace", "2026-04-04T00:00:00Z")
        assert (body["worked_out"], body["posted"], body["debt"]) == (rub("31.00"), rub("31.00"), rub("21.00"))
        assert body["match"] is True
        assert body["steps"][2:-1] == [
            "310.00 RUB a month × 1 month × 3 of 30 days = 31.00 RUB",
            "The subscription was active in this time, so it is charged.",
            "10.00 RUB was charged to the balance and 21.00 RUB became a debt.",
        ]
    pay_in(alice, 25_00, at=START + timedelta(days=35))
    body = explain(alice, last(alice, "debt_payment"))
    assert (body["kind"], body["counterpart"], body["debt"]) == ("movement", "debt", None)
    assert body["steps"] == [
        "Debt paid: 21.00 RUB. Money that comes in pays a debt first.",
        "The balance was 25.00 RUB before and 4.00 RUB after.",
    ]


def test_an_advance_payment_costs_price_times_quantity_times_periods(alice: User) -> None:
    pay_in(alice, 6000_00)
    order(alice, "basic", quantity=3, periods=2)
    body = explain(alice, last(alice))
    assert (body["kind"], body["quantity"], body["periods"], body["credit"]) == ("period", 3, 2, None)
    assert body["span"] == {"start": "2026-03-01T00:00:00Z", "end": "2026-05-01T00:00:00Z"}
    assert (body["formula"], body["worked_out"], body["posted"]) == ("99000 × 3 × 2", rub("5940.00"), rub("5940.00"))
    assert body["steps"] == [
        "Basic, price version 1: 990.00 RUB a month.",
        "Paid in advance from 2026-03-01 00:00:00 UTC to 2026-05-01 00:00:00 UTC.",
        "990.00 RUB a month × 3 × 2 months = 5940.00 RUB",
        GOOD,
    ]


@pytest.mark.parametrize(
    ("money", "days", "step"),
    [(990_00, 10, "990.00 RUB a month × 1 month × 21 of 31 days = 670.64 RUB, rounded down"),
     (310_00, 10, "310.00 RUB a month × 1 month × 21 of 31 days = 210.00 RUB")],
)  # fmt: skip
def test_unused_time_is_refunded_in_proportion(
    alice: User, time_machine: time_machine.TimeMachineFixture, money: int, days: int, step: str
) -> None:
    sell("plan", RUB=money)
    pay_in(alice, money)
    basic = order(alice, "plan")
    time_machine.move_to(START + timedelta(days=days), tick=False)
    client(alice).post(f"{ALL}{basic}/cancel", {"when": "now", "refund_unused": True})
    body = explain(alice, last(alice, "unused_refund"))
    assert (body["kind"], body["match"]) == ("unused", True)
    assert body["steps"][1:] == [
        "Unused from 2026-03-11 00:00:00 UTC to 2026-04-01 00:00:00 UTC: 21 of 31 days.", step, GOOD,
    ]  # fmt: skip


def test_the_explanation_uses_the_price_version_that_was_bought(alice: User) -> None:
    pay_in(alice, 2000_00)
    order(alice, "basic")
    catalogue.new_version(Price.objects.get(plan__code="basic"), now=START, amount=1090_00)
    body = explain(alice, last(alice))
    assert (body["price"]["version"], body["price"]["amount"], body["match"]) == (1, rub("990.00"), True)


def test_money_in_and_out_is_a_movement_with_its_counterpart(alice: User) -> None:
    pay_in(alice, 100_00)
    with books.open(alice, "RUB", now=START + timedelta(days=1)) as book:
        book.withdraw(30_00, key="out", to="gateway_clearing:stripe")
    body = explain(alice, last(alice, "top_up"))
    nothing = ("subscription", "plan", "price", "quantity", "previous_quantity", "periods", "span", "formula",
               "worked_out", "debt", "match", "credit")  # fmt: skip
    assert [body[name] for name in nothing] == [None] * len(nothing)
    assert (body["kind"], body["reason"], body["posted"]) == ("movement", "top_up", rub("100.00"))
    assert body["counterpart"] == "the payment gateway sandbox"
    assert body["steps"] == [
        "Top-up: 100.00 RUB, from the payment gateway sandbox.",
        "The balance was 0.00 RUB before and 100.00 RUB after.",
    ]
    assert explain(alice, last(alice, "refund"))["steps"] == [
        "Refund: 30.00 RUB, to the payment gateway stripe.",
        "The balance was 100.00 RUB before and 70.00 RUB after.",
    ]


def test_a_tampered_transaction_does_not_match(alice: User) -> None:
    pay_in(alice, 24_00)
    order(alice, "vm")
    settle(alice, hours=2)
    with guards_off("ledger_transaction"):
        Transaction.objects.filter(reason="charge").update(amount=2_01)
    body = explain(alice, last(alice))
    assert (body["worked_out"], body["posted"], body["match"]) == (rub("2.00"), rub("2.01"), False)
    assert body["steps"][-1] == (
        "Recalculated just now: it should be 2.00 RUB, but the transaction says 2.01 RUB. Please contact support."
    )
    with guards_off("ledger_transaction"):
        Transaction.objects.filter(reason="charge").update(amount=2_00)
    with guards_off("subscriptions_charge"):
        Charge.objects.update(credit_after=7)
    assert explain(alice, last(alice))["match"] is False


def test_amounts_have_the_decimals_of_their_currency(alice: User) -> None:
    sell("yen", JPY=700)
    sell("dinar", KWD=1_234)
    for currency, amount, plan in (("JPY", 700, "yen"), ("KWD", 1_234, "dinar")):
        pay_in(alice, amount, currency)
        order(alice, plan, currency=currency)
    rows = {row.currency: explain(alice, row) for row in Transaction.objects.filter(reason="charge")}
    assert rows["JPY"]["steps"][2] == "700 JPY a month × 1 month = 700 JPY"
    assert rows["KWD"]["steps"][2] == "1.234 KWD a month × 1 month = 1.234 KWD"


def test_every_transaction_of_a_history_matches(alice: User, time_machine: time_machine.TimeMachineFixture) -> None:
    pay_in(alice, 5000_00)
    basic, _ = f"{ALL}{order(alice, 'basic')}", order(alice, "vm", quantity=7)
    for days, action, body in (
        (3.1, "change-plan", {"plan": "vm"}), (4.7, "change-plan", {"plan": "basic"}), (9.2, "pause", {}),
        (12.9, "resume", {}), (20.3, "cancel", {"when": "now", "refund_unused": True}),
    ):  # fmt: skip
        time_machine.move_to(START + timedelta(days=days), tick=False)
        assert client(alice).post(f"{basic}/{action}", body).status_code == 200
    explanations = [explain(alice, row) for row in Transaction.objects.filter(customer=alice).exclude(reason="top_up")]
    assert len(explanations) > 8
    assert [each for each in explanations if not each["match"]] == []
    assert {each["kind"] for each in explanations} == {"period", "slice", "unused"}


def test_another_customers_transaction_is_not_found(alice: User, mallory: User, staff: User) -> None:
    pay_in(alice, 1_00)
    row = last(alice, "top_up")
    for thief in (mallory, staff):
        foreign, absent = (
            client(thief).get(f"/api/transactions/txn_{number}/explain") for number in (row.pk, row.pk + 10**6)
        )
        assert foreign.status_code == absent.status_code == 404
        assert {**foreign.json(), "request_id": ""} == {**absent.json(), "request_id": ""}
    assert client().get(f"/api/transactions/txn_{row.pk}/explain").status_code == 401
    assert client(alice).get(f"/api/transactions/txn_{'9' * 30}/explain").status_code == 404
    assert params(client(alice).get(f"/api/transactions/txn_{row.pk}/explain?deep=1")) == ["deep"]


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("prefix", ["/api/", "/api/v1/"])
def test_every_url_works(alice: User, prefix: str, slash: str) -> None:
    pay_in(alice, 1_00)
    row = last(alice, "top_up")
    assert client(alice).get(f"{prefix}transactions/txn_{row.pk}/explain{slash}").json()["kind"] == "movement"
