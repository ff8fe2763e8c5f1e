"""Quantity, start and repeated changes through the API. The amounts are worked out by hand."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine

from accounts.models import User
from ledger.models import Transaction
from subscriptions import books, catalogue
from subscriptions.models import Plan, Subscription
from tests.subscriptions.shop import START, client, pay_in, sell

pytestmark = pytest.mark.django_db
ALL = "/api/subscriptions/"


@pytest.fixture(autouse=True)
def _shop(time_machine: time_machine.TimeMachineFixture) -> None:
    time_machine.move_to(START, tick=False)
    sell("team", RUB=310_00)
    sell("premium", RUB=620_00)
    sell("vm", RUB=1_00, interval="hour", metered=True)


@pytest.fixture
def team(alice: User, time_machine: time_machine.TimeMachineFixture) -> str:
    """Return the URL of two seats at 310.00, paid for March. 380.00 are left, and it is the 11th: 21 of 31 days."""
    pay_in(alice, 1000_00)
    made = order(alice, "team", quantity=2)
    time_machine.move_to(START + timedelta(days=10), tick=False)
    return made


def order(user: User, plan: str, **more: Any) -> str:
    return f"{ALL}{client(user).post(ALL, {'plan': plan, **more}).json()['id']}"


def rub(value: str) -> dict[str, str]:
    return {"value": value, "currency": "RUB"}


def balance(user: User) -> str:
    return str(client(user).get("/api/wallet/").json()["results"][0]["balance"])


@pytest.mark.parametrize("way", ["patch", "post"])
def test_seats_change_now_for_the_days_that_are_left(alice: User, team: str, way: str) -> None:
    def change(quantity: int) -> Any:
        body = {"quantity": quantity, "when": "now"}
        send, where = (client(alice).patch, "") if way == "patch" else (client(alice).post, "/change-quantity")
        return send(team + where, body)

    # One more for 21 of 31 days of 310.00: 210.00.
    more = change(3).json()
    assert (more["quantity"], more["current_period"]["end"], balance(alice)) == (3, "2026-04-01T00:00:00Z", "170.00")
    assert more["next_charge"]["amount"] == rub("930.00")
    # Two fewer give 420.00 back.
    assert (change(1).json()["quantity"], balance(alice)) == (1, "590.00")
    # The number it has moves nothing.
    assert (change(1).json()["quantity"], balance(alice)) == (1, "590.00")
    assert change(9).json()["code"] == "insufficient_funds"
    assert balance(alice) == "590.00"


def test_a_quantity_for_the_next_period_is_shown_and_can_be_dropped(
    alice: User, team: str, time_machine: time_machine.TimeMachineFixture
) -> None:
    later = {"quantity": 1, "when": "period_end"}
    body = client(alice).post(team + "/change-quantity", later).json()
    assert (body["quantity"], body["scheduled_quantity"], body["next_charge"]["amount"]) == (2, 1, rub("310.00"))
    dropped = client(alice).patch(team, {"quantity": 2}).json()
    assert (dropped["scheduled_quantity"], dropped["next_charge"]["amount"]) == (None, rub("620.00"))
    client(alice).patch(team, later)
    time_machine.move_to(START + timedelta(days=31), tick=False)
    body = client(alice).get(team).json()
    # No worker has run: the number is that of this moment all the same.
    assert (body["quantity"], body["scheduled_quantity"], body["status"]) == (1, None, "active")
    assert Subscription.objects.get().quantity == 2


def test_a_quote_of_a_quantity_is_accepted_at_most_at_its_amounts(
    alice: User, team: str, time_machine: time_machine.TimeMachineFixture
) -> None:
    quoted = client(alice).get(team + "/change-preview", {"quantity": 3}).json()
    name = team.removeprefix(ALL)
    assert {key: quoted[key] for key in ("plan", "quantity", "when", "total", "balance_after", "status_after")} == {
        "plan": "team", "quantity": 3, "when": "now", "total": rub("-210.00"), "balance_after": rub("170.00"),
        "status_after": "active",
    }  # fmt: skip
    assert quoted["lines"] == [
        {"reason": "charge", "subscription": name, "amount": rub("-210.00"), "formula": "310.00 × 21 of 31 days"}
    ]
    # A quote of a quantity is none of a plan.
    assert client(alice).post(team + "/change-plan", {"quote": quoted["id"]}).status_code == 404
    time_machine.move_to(START + timedelta(days=10, minutes=10), tick=False)
    answer = client(alice).post(team + "/change-quantity", {"quote": quoted["id"]})
    assert (answer.status_code, answer.json()["quantity"]) == (200, 3)
    # Ten minutes later it is 31000 x 30230 / 44640 = 20993.05..., rounded up.
    assert balance(alice) == "170.06"
    time_machine.move_to(START + timedelta(days=10, minutes=40), tick=False)
    fewer = client(alice).get(team + "/change-preview", {"quantity": 1}).json()
    time_machine.move_to(START + timedelta(days=11), tick=False)
    late = client(alice).post(team + "/change-quantity", {"quote": fewer["id"]})
    assert (late.status_code, late.json()["code"], late.json()["quote"]["quantity"]) == (409, "quote_changed", 1)
    assert balance(alice) == "170.06"


@pytest.mark.parametrize(
    ("body", "plan", "quantity", "left"),
    [
        # 420.00 come back for two seats; 620.00 x 4, x 1 and x 2 are paid.
        ({"plan": "premium", "quantity": 4}, "premium", 4, "1320.00"),
        ({"plan": "premium", "quantity": 1}, "premium", 1, "3180.00"),
        ({"plan": "premium", "quantity": 2}, "premium", 2, "2560.00"),
        ({"plan": "team", "quantity": 3}, "team", 3, "3170.00"),
        ({"plan": "team", "quantity": 2}, "team", 2, "3380.00"),
    ],
)  # fmt: skip
def test_plan_and_quantity_change_in_one_request(
    alice: User, team: str, body: dict[str, Any], plan: str, quantity: int, left: str
) -> None:
    pay_in(alice, 3000_00, at=START + timedelta(days=10))
    answer = client(alice).patch(team, body).json()
    assert (answer["plan"], answer["quantity"], balance(alice)) == (plan, quantity, left)


@pytest.mark.parametrize("quantity", [1, 2, 3])
def test_plan_and_quantity_wait_for_the_period_together(alice: User, team: str, quantity: int) -> None:
    body = {"plan": "premium", "quantity": quantity, "when": "period_end"}
    for _ in range(2):
        answer = client(alice).patch(team, body).json()
        assert (answer["plan"], answer["scheduled_plan"]) == ("team", "premium")
        assert answer["scheduled_quantity"] == (quantity if quantity != 2 else None)
        assert answer["next_charge"]["amount"] == rub(f"{620 * quantity}.00")


def test_metered_seats_change_the_rate(alice: User, time_machine: time_machine.TimeMachineFixture) -> None:
    pay_in(alice, 100_00)
    vm = order(alice, "vm")
    time_machine.move_to(START + timedelta(hours=1), tick=False)
    assert client(alice).post(vm + "/change-quantity", {"quantity": 3, "when": "period_end"}).json()["quantity"] == 3
    time_machine.move_to(START + timedelta(hours=2), tick=False)
    client(alice).post(vm + "/pause")
    assert balance(alice) == "96.00"


# Start


def test_an_order_starts_only_when_it_is_asked_for(alice: User) -> None:
    one = order(alice, "team")
    pay_in(alice, 309_99)
    answer = client(alice).post(one + "/start")
    assert (answer.status_code, answer.json()["code"]) == (402, "insufficient_funds")
    assert answer.json()["missing"] == rub("0.01")
    pay_in(alice, 1)
    # The money alone has not started it.
    waiting = client(alice).get(one).json()
    assert (waiting["status"], waiting["wait_end"]) == ("pending", "2026-03-15T00:00:00Z")
    started = client(alice).post(one + "/start", {}).json()
    assert (started["status"], started["wait_end"], balance(alice)) == ("active", None, "0.00")
    again = client(alice).post(one + "/start")
    assert (again.status_code, again.json()["code"]) == (409, "subscription_not_waiting")


def test_a_suspended_subscription_can_be_started_and_expires_after_its_days(
    alice: User, time_machine: time_machine.TimeMachineFixture
) -> None:
    pay_in(alice, 310_00)
    one = order(alice, "team")
    time_machine.move_to(START + timedelta(days=31), tick=False)
    body = client(alice).get(one).json()
    assert (body["status"], body["wait_end"]) == ("suspended", "2026-05-01T00:00:00Z")
    assert client(alice).post(one + "/start").json()["missing"] == rub("310.00")
    time_machine.move_to(START + timedelta(days=61), tick=False)
    assert client(alice).get(one).json()["status"] == "expired"
    assert client(alice).post(one + "/start").json()["code"] == "subscription_is_final"


def test_what_is_missing_for_a_start_includes_the_debt(alice: User) -> None:
    one = order(alice, "team")
    with books.open(alice, "RUB", now=START) as book:
        book.lose_dispute(50_00, key="lost")
    assert client(alice).post(one + "/start").json()["missing"] == rub("360.00")


# A change to the plan it has


def test_a_repeated_change_to_its_own_plan_moves_no_money(alice: User, team: str) -> None:
    before = Transaction.objects.count()
    for _ in range(2):
        answer = client(alice).patch(team, {"plan": "team", "auto_renew": False})
        assert (answer.status_code, answer.json()["auto_renew"], answer.json()["plan"]) == (200, False, "team")
    assert (Transaction.objects.count(), balance(alice)) == (before, "380.00")


@pytest.mark.parametrize("is_public", [True, False])
@pytest.mark.parametrize("way", ["patch", "change-plan", "quote"])
def test_its_own_plan_keeps_its_price_when_a_dearer_one_is_on_sale(alice: User, way: str, is_public: bool) -> None:
    pay_in(alice, 1000_00)
    price = sell("solo", RUB=100_00)["RUB"]
    one = order(alice, "solo")
    catalogue.new_version(price, now=START, amount=250_00)
    scheduled = client(alice).patch(one, {"plan": "premium", "when": "period_end"}).json()
    assert (scheduled["scheduled_plan"], scheduled["next_charge"]["amount"]) == ("premium", rub("620.00"))
    Plan.objects.filter(code="solo").update(is_public=is_public)
    body = {"plan": "solo", "when": "period_end"}
    if way == "patch":
        client(alice).patch(one, body)
    elif way == "change-plan":
        client(alice).post(one + "/change-plan", body)
    else:
        quoted = client(alice).get(one + "/change-preview", body).json()
        assert (quoted["lines"], quoted["next_charge"]["amount"]) == ([], rub("100.00"))
        client(alice).post(one + "/change-plan", {"quote": quoted["id"]})
    after = client(alice).get(one).json()
    assert (after["scheduled_plan"], after["next_charge"]["amount"]) == (None, rub("100.00"))
    assert (after["price"]["amount"], after["price"]["version"], balance(alice)) == (rub("100.00"), 1, "900.00")


def test_what_the_seller_does_not_allow_is_refused_with_its_own_code(alice: User) -> None:
    sell("strict", RUB=100_00, can_pause=False, can_refund_unused=False)
    pay_in(alice, 100_00)
    one = order(alice, "strict")
    price = client(alice).get(one).json()["price"]
    assert (price["can_pause"], price["can_refund_unused"]) == (False, False)
    assert client(alice).post(one + "/pause").json()["code"] == "plan_cannot_be_paused"
    refund = client(alice).post(one + "/cancel", {"when": "now", "refund_unused": True})
    assert (refund.status_code, refund.json()["code"]) == (409, "plan_refunds_nothing")
    assert client(alice).post(one + "/cancel", {"when": "now"}).json()["status"] == "cancelled"
    sell("try", RUB=100_00, trial_days=7, trial_quantity_max=2)
    tried = order(alice, "try", quantity=2)
    too_many = client(alice).patch(tried, {"quantity": 3})
    assert (too_many.status_code, too_many.json()["code"]) == (409, "quantity_too_large_for_trial")
