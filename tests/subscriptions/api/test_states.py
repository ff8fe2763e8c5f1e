"""Which actions each state allows. What counts is the current state, whatever the workers have saved so far."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine

from accounts.models import User
from events.models import Event
from ledger.models import Transaction
from subscriptions import billing_run, books
from subscriptions.models import Subscription
from tests.subscriptions.bank import broken_rules
from tests.subscriptions.shop import START, client, pay_in, sell

pytestmark = pytest.mark.django_db
ALL = "/api/subscriptions/"
FINAL, PAUSED = "subscription_is_final", "subscription_is_paused"
NOT_ACTIVE, NOT_PAUSED = "subscription_is_not_active", "subscription_is_not_paused"
NO_CANCEL = "no_cancel_to_undo"
# The actions that each state refuses, with the error code. It allows all others.
REFUSED: dict[str, dict[str, str]] = {
    "pending": {"pause": NOT_ACTIVE, "resume": NOT_PAUSED, "undo-cancel": NO_CANCEL},
    "trialing": {"pause": NOT_ACTIVE, "resume": NOT_PAUSED, "undo-cancel": NO_CANCEL},
    "active": {"resume": NOT_PAUSED, "undo-cancel": NO_CANCEL},
    "metered": {"resume": NOT_PAUSED, "undo-cancel": NO_CANCEL},
    "past_due": {"pause": NOT_ACTIVE, "resume": NOT_PAUSED, "undo-cancel": NO_CANCEL},
    "suspended": {"pause": NOT_ACTIVE, "resume": NOT_PAUSED, "undo-cancel": NO_CANCEL},
    "paused": {"pause": NOT_ACTIVE, "undo-cancel": NO_CANCEL, "change-plan": PAUSED},
    "cancelled": dict.fromkeys(("pause", "resume", "cancel", "undo-cancel", "change-plan", "auto_renew"), FINAL),
    "expired": dict.fromkeys(("pause", "resume", "cancel", "undo-cancel", "change-plan", "auto_renew"), FINAL),
}
ACTIONS = ("pause", "resume", "cancel", "undo-cancel", "change-plan", "auto_renew")


@pytest.fixture(autouse=True)
def _shop(time_machine: time_machine.TimeMachineFixture) -> None:
    time_machine.move_to(START, tick=False)
    sell("basic", RUB=310_00)
    sell("lenient", RUB=310_00, grace_days=5)
    sell("vm", RUB=1_00, interval="hour", metered=True)
    sell("trial", RUB=310_00, trial_days=14)
    sell("free", RUB=0)


def order(user: User, plan: str, **more: Any) -> str:
    return f"{ALL}{client(user).post(ALL, {'plan': plan, **more}).json()['id']}"


def bring_to(state: str, user: User, clock: time_machine.TimeMachineFixture) -> str:
    """Create a subscription and bring it to a state. If time caused the state, the rows do not show it yet."""
    april, plan = START.replace(month=4), {"past_due": "lenient", "trialing": "trial", "metered": "vm"}
    if state not in ("pending", "trialing"):
        pay_in(user, 310_00)
    one = order(user, plan.get(state, "basic"), auto_renew=state != "expired")
    match state:
        case "suspended" | "past_due" | "expired":
            clock.move_to(april, tick=False)
        case "paused":
            client(user).post(one + "/pause")
        case "cancelled":
            client(user).delete(one)
            clock.move_to(april, tick=False)
    assert client(user).get(one).json()["status"] == {"metered": "active"}.get(state, state)
    return one


def act(user: User, one: str, action: str) -> Any:
    if action == "auto_renew":
        return client(user).patch(one, {"auto_renew": False})
    return client(user).post(f"{one}/{action}", {"plan": "free"} if action == "change-plan" else {})


@pytest.mark.parametrize("has_run", [False, True])
@pytest.mark.parametrize("state", REFUSED)
def test_each_action_is_allowed_or_refused_by_the_current_state(
    alice: User, time_machine: time_machine.TimeMachineFixture, state: str, has_run: bool
) -> None:
    one = bring_to(state, alice, time_machine)
    if has_run:
        billing_run.run_due(now=START.replace(month=4))
    # Refused actions change nothing, so they go first.
    for action, code in REFUSED[state].items():
        answer = act(alice, one, action)
        assert (answer.status_code, answer.json()["code"]) == (409, code), action
        assert answer["Content-Type"] == "application/problem+json"
    for action in ("auto_renew", "change-plan", "cancel"):
        if action not in REFUSED[state]:
            assert act(alice, one, action).status_code == 200, action
    assert broken_rules() == []


@pytest.mark.parametrize("action", ACTIONS)
def test_each_action_is_recorded_as_an_event(
    alice: User, time_machine: time_machine.TimeMachineFixture, action: str
) -> None:
    pay_in(alice, 310_00)
    one = order(alice, "basic")
    if action == "resume":
        client(alice).post(one + "/pause")
    if action == "undo-cancel":
        client(alice).post(one + "/cancel")
    time_machine.move_to(START + timedelta(days=1), tick=False)
    assert act(alice, one, action).status_code == 200
    event_types = {
        "pause": "paused", "resume": "resumed", "cancel": "cancel_requested", "undo-cancel": "cancel_undone",
        "change-plan": "plan_changed", "auto_renew": "auto_renew_changed",
    }  # fmt: skip
    last = client(alice).get("/api/events/").json()["results"][0]
    assert (last["type"], last["subject"]) == (f"subscription.{event_types[action]}", one.removeprefix(ALL))
    assert last["effective_at"] == "2026-03-02T00:00:00Z"


def test_an_earlier_renewal_is_settled_before_the_action(
    alice: User, time_machine: time_machine.TimeMachineFixture
) -> None:
    pay_in(alice, 620_00)
    one = order(alice, "basic")
    # A day into April; no worker has run since 1 March.
    time_machine.move_to(START.replace(month=4, day=2), tick=False)
    paused = client(alice).post(one + "/pause").json()
    assert (paused["status"], Transaction.objects.filter(reason="charge").count()) == ("paused", 2)
    assert Event.objects.filter(type="subscription.renewed").get().effective_at == START.replace(month=4)
    time_machine.move_to(START.replace(month=4, day=12), tick=False)
    # Ten days of pause: April's period ends on 11 May.
    assert client(alice).post(one + "/resume").json()["current_period"]["end"] == "2026-05-11T00:00:00Z"


def test_renewal_switched_off_after_the_period_ended_is_too_late(
    alice: User, time_machine: time_machine.TimeMachineFixture
) -> None:
    pay_in(alice, 620_00)
    one = order(alice, "basic")
    time_machine.move_to(START.replace(month=4), tick=False)
    body = client(alice).patch(one, {"auto_renew": False}).json()
    # Periods are half-open: on 1 April the next one has begun and is paid.
    assert (body["auto_renew"], body["current_period"]["end"]) == (False, "2026-05-01T00:00:00Z")
    time_machine.move_to(START.replace(month=5), tick=False)
    assert client(alice).get(one).json()["status"] == "expired"


@pytest.mark.parametrize(
    ("body", "status", "balance"),
    [({}, "active", "0.00"), ({"when": "period_end"}, "active", "0.00"), ({"when": "now"}, "cancelled", "0.00"),
     # 21 of 31 days of 310.00.
     ({"when": "now", "refund_unused": True}, "cancelled", "210.00"),
     ({"when": "now", "refund_unused": False}, "cancelled", "0.00")],
)  # fmt: skip
def test_a_cancellation_follows_the_requested_time_and_refund(
    alice: User, time_machine: time_machine.TimeMachineFixture, body: dict[str, Any], status: str, balance: str
) -> None:
    pay_in(alice, 310_00)
    one = order(alice, "basic")
    time_machine.move_to(START + timedelta(days=10), tick=False)
    answer = client(alice).post(one + "/cancel", body).json()
    assert (answer["status"], answer["cancel_at_period_end"]) == (status, status == "active")
    assert client(alice).get("/api/wallet/").json()["results"][0]["balance"] == balance
    time_machine.move_to(START + timedelta(days=31), tick=False)
    ended = "2026-04-01T00:00:00Z" if status == "active" else "2026-03-11T00:00:00Z"
    assert client(alice).get(one).json()["ended_at"] == ended


def test_a_payment_for_an_ended_subscription_stays_in_the_wallet(
    alice: User, time_machine: time_machine.TimeMachineFixture
) -> None:
    pay_in(alice, 310_00)
    order(alice, "basic", auto_renew=False)
    # It ended on 1 April, but no worker has saved that yet.
    row = Subscription.objects.get()
    with books.open(alice, "RUB", now=START.replace(month=4, day=3)) as book:
        book.top_up(310_00, key="late", source="gateway_clearing:sandbox", first=row)
        assert not book.is_live(row)
    assert client(alice).get("/api/wallet/").json()["results"][0]["balance"] == "310.00"
