"""Changes of a subscription through the API: cancel, undo, pause, resume, change of plan, automatic renewal."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine

from accounts.models import User
from subscriptions.models import Charge, Subscription
from tests.subscriptions.shop import START, client, params, pay_in, sell

pytestmark = pytest.mark.django_db
ALL = "/api/subscriptions/"


@pytest.fixture(autouse=True)
def _shop(time_machine: time_machine.TimeMachineFixture) -> None:
    time_machine.move_to(START, tick=False)
    sell("basic", RUB=310_00)
    sell("premium", RUB=620_00)
    sell("vm", RUB=1_00, interval="hour", metered=True)


@pytest.fixture
def basic(alice: User) -> str:
    """Return the URL of Alice's subscription to Basic, paid from 1 March to 1 April. Her wallet is empty."""
    return bought(alice, "basic", 310_00)


def bought(user: User, plan: str, amount: int) -> str:
    pay_in(user, amount)
    answer = client(user).post(ALL, {"plan": plan})
    assert answer.json()["status"] == "active", answer.json()
    return f"{ALL}{answer.json()['id']}"


def balance(user: User) -> str:
    return str(client(user).get("/api/wallet/").json()["results"][0]["balance"])


def refused(answer: Any, code: str, status: int = 409) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer["Content-Type"] == "application/problem+json"


def test_delete_cancels_at_the_end_of_the_paid_period(
    alice: User, basic: str, time_machine: time_machine.TimeMachineFixture
) -> None:
    answer = client(alice).delete(basic)
    assert (answer.status_code, answer.json()["status"], answer.json()["access"]) == (200, "active", True)
    assert (answer.json()["cancel_at_period_end"], answer.json()["next_charge"]) == (True, None)
    time_machine.move_to(START + timedelta(days=31), tick=False)
    body = client(alice).get(basic).json()
    assert (body["status"], body["ended_at"], body["access"]) == ("cancelled", "2026-04-01T00:00:00Z", False)
    refused(client(alice).delete(basic), "subscription_is_final")


def test_delete_ends_metered_use_at_once(alice: User) -> None:
    vm = bought(alice, "vm", 24_00)
    assert client(alice).delete(vm).json()["status"] == "cancelled"
    refused(client(alice).delete(vm), "subscription_is_final")


def test_cancelling_now_refunds_unused_time_if_requested(
    alice: User, basic: str, time_machine: time_machine.TimeMachineFixture
) -> None:
    time_machine.move_to(START + timedelta(days=10), tick=False)
    answer = client(alice).post(basic + "/cancel", {"when": "now", "refund_unused": True})
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert balance(alice) == "210.00"  # 21 of 31 days of 310.00
    for action in ("cancel", "pause", "resume"):
        refused(client(alice).post(f"{basic}/{action}", {}), "subscription_is_final")
    refused(client(alice).patch(basic, {"auto_renew": False}), "subscription_is_final")


def test_a_cancellation_can_be_undone_once(alice: User, basic: str) -> None:
    client(alice).post(basic + "/cancel", {})
    assert client(alice).post(basic + "/undo-cancel", {}).json()["cancel_at_period_end"] is False
    refused(client(alice).post(basic + "/undo-cancel", {}), "no_cancel_to_undo")


def test_a_pause_keeps_the_rest_of_the_period(
    alice: User, basic: str, time_machine: time_machine.TimeMachineFixture
) -> None:
    time_machine.move_to(START + timedelta(days=1), tick=False)
    paused = client(alice).post(basic + "/pause").json()
    assert (paused["status"], paused["access"], paused["current_period"]) == ("paused", False, None)
    refused(client(alice).post(basic + "/pause"), "subscription_is_not_active")
    time_machine.move_to(START + timedelta(days=11), tick=False)
    resumed = client(alice).post(basic + "/resume").json()
    assert resumed["status"] == "active"
    assert resumed["current_period"]["end"] == "2026-04-11T00:00:00Z"  # ten days later than it was
    refused(client(alice).post(basic + "/resume"), "subscription_is_not_paused")


def test_a_plan_change_now_refunds_the_unused_time(
    alice: User, basic: str, time_machine: time_machine.TimeMachineFixture
) -> None:
    time_machine.move_to(START + timedelta(days=10), tick=False)
    refused(client(alice).post(basic + "/change-plan", {"plan": "premium"}), "insufficient_funds", 402)
    assert (client(alice).get(basic).json()["plan"], balance(alice)) == ("basic", "0.00")
    pay_in(alice, 500_00, at=START + timedelta(days=10))
    body = client(alice).post(basic + "/change-plan", {"plan": "premium"}).json()
    assert (body["plan"], body["current_period"]["start"]) == ("premium", "2026-03-11T00:00:00Z")
    assert balance(alice) == "90.00"  # 500.00 + 210.00 unused - 620.00


def test_a_plan_change_can_wait_for_the_end_of_the_period(
    alice: User, basic: str, time_machine: time_machine.TimeMachineFixture
) -> None:
    pay_in(alice, 620_00)
    body = client(alice).patch(basic, {"plan": "premium", "when": "period_end"}).json()
    assert (body["plan"], body["scheduled_plan"]) == ("basic", "premium")
    assert body["next_charge"] == {"at": "2026-04-01T00:00:00Z", "amount": {"value": "620.00", "currency": "RUB"}}
    time_machine.move_to(START + timedelta(days=31), tick=False)
    body = client(alice).get(basic).json()
    assert (body["plan"], body["scheduled_plan"], body["status"]) == ("premium", None, "active")
    listed = client(alice).get(ALL + "?plan=premium").json()["results"]
    assert [row["status"] for row in listed] == ["active"]
    assert Subscription.objects.get().price.plan.code == "basic"  # nothing has been saved yet


def test_automatic_renewal_can_be_switched_off_and_on(
    alice: User, basic: str, time_machine: time_machine.TimeMachineFixture
) -> None:
    body = client(alice).patch(basic, {"auto_renew": False}).json()
    assert (body["auto_renew"], body["next_charge"]) == (False, None)
    assert client(alice).patch(basic, {"auto_renew": True}).json()["next_charge"] is not None
    client(alice).patch(basic, {"auto_renew": False})
    time_machine.move_to(START + timedelta(days=31), tick=False)
    assert client(alice).get(basic).json()["status"] == "expired"


def test_two_changes_in_one_request_both_happen_or_neither(alice: User, basic: str) -> None:
    answer = client(alice).patch(basic, {"auto_renew": False, "plan": "premium", "when": "now"})
    refused(answer, "insufficient_funds", 402)
    assert client(alice).get(basic).json()["auto_renew"] is True
    assert client(alice).patch(basic, {}).json()["plan"] == "basic"


@pytest.mark.parametrize(
    ("method", "action", "body", "param"),
    [
        ("patch", "", {"quantity": 0}, "quantity"), ("patch", "", {"status": "active"}, "status"),
        ("patch", "", {"when": "now"}, "when"), ("patch", "", {"auto_renew": "perhaps"}, "auto_renew"),
        ("patch", "", {"plan": None}, "plan"), ("patch", "", {"period_end": "2030-01-01"}, "period_end"),
        ("delete", "", {"now": True}, "now"), ("post", "/cancel", {"when": "yesterday"}, "when"),
        ("post", "/cancel", {"refund_unused": True}, "refund_unused"),
        ("post", "/cancel", {"refund": True}, "refund"), ("post", "/pause", {"until": "2026-04-01"}, "until"),
        ("post", "/resume", {"x": 1}, "x"), ("post", "/undo-cancel", {"x": 1}, "x"),
        ("patch", "", {"when": "now", "auto_renew": True}, "when"), ("patch", "", {"quantity": True}, "quantity"),
        ("post", "/start", {"x": 1}, "x"), ("post", "/change-quantity", {}, "quantity"),
        ("post", "/change-quantity", {"quantity": 2, "plan": "premium"}, "plan"),
        ("post", "/change-quantity", {"quantity": 1_000_001}, "quantity"),
        ("post", "/change-plan", {}, "plan"), ("post", "/change-plan", {"plan": "premium", "when": 1}, "when"),
        ("post", "/change-plan", {"plan": "premium", "currency": "EUR"}, "currency"),
    ],
)  # fmt: skip
def test_errors_name_the_fields_that_cannot_be_changed(
    alice: User, basic: str, method: str, action: str, body: dict[str, Any], param: str
) -> None:
    answer = getattr(client(alice), method)(basic + action, body)
    assert (answer.status_code, params(answer)) == (400, [param])
    assert client(alice).get(basic).json()["status"] == "active"


def test_a_plan_can_change_only_to_one_sold_in_the_same_currency(alice: User, basic: str) -> None:
    sell("euro", EUR=1_00)
    refused(client(alice).post(basic + "/change-plan", {"plan": "euro"}), "plan_not_sold_in_currency", 400)
    refused(client(alice).post(basic + "/change-plan", {"plan": "nothing"}), "plan_not_found", 400)


def test_a_change_sent_twice_with_one_key_happens_once(alice: User, basic: str) -> None:
    pay_in(alice, 2000_00)
    first, again = (
        client(alice).post(basic + "/change-plan", {"plan": "premium"}, HTTP_IDEMPOTENCY_KEY="change") for _ in range(2)
    )
    assert first.json() == again.json()
    assert Charge.objects.count() == 2  # Basic, then Premium once


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("prefix", ["/api/", "/api/v1/"])
def test_every_method_works_with_and_without_a_slash(alice: User, basic: str, prefix: str, slash: str) -> None:
    browser, one = client(alice), basic.replace("/api/", prefix)
    assert browser.get(prefix + "subscriptions" + slash).status_code == 200
    assert browser.post(prefix + "subscriptions" + slash, {"plan": "vm"}).status_code == 201
    assert browser.patch(one + slash, {"auto_renew": False}).status_code == 200
    assert browser.post(f"{one}/change-quantity{slash}", {"quantity": 1}).status_code == 200
    assert browser.post(f"{one}/start{slash}", {}).status_code == 409
    for action in ("pause", "resume", "cancel", "undo-cancel"):
        assert browser.post(f"{one}/{action}{slash}", {}).status_code == 200, action
    assert browser.get(one + "/access" + slash).status_code == 200
    assert browser.delete(one + slash).status_code == 200
