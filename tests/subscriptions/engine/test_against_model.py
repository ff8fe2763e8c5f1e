"""Property tests: the engine agrees with the model, and with itself under any schedule of ticks."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.subscriptions.engine import model
from tests.subscriptions.engine.strategies import scenarios, ticks
from tests.subscriptions.simulation.scenario_files import play

# The engine is fast and has many rules: use more examples than elsewhere.
many = settings(max_examples=max(150, settings().max_examples))


@many
@given(scenarios())
def test_the_engine_agrees_with_the_model(scenario: dict[str, Any]) -> None:
    assert play(scenario) == model.play(scenario)


@many
@given(st.data())
def test_the_engine_agrees_with_the_model_with_ticks(data: st.DataObject) -> None:
    scenario = data.draw(scenarios())
    scenario["ticks"] = data.draw(ticks(scenario))
    assert play(scenario) == model.play(scenario)


@many
@given(st.data())
def test_ticks_do_not_change_the_outcome(data: st.DataObject) -> None:
    scenario = data.draw(scenarios())
    alone = play(scenario)
    ticked = play({**scenario, "ticks": data.draw(ticks(scenario))})
    for part in ("customers", "subscriptions", "rejected"):
        assert ticked[part] == alone[part]
    metered = {plan["code"] for plan in scenario["plans"] if plan["metered"]}
    if not metered & {event.get("plan") for event in scenario["events"]}:
        assert ticked["transactions"] == alone["transactions"]
    assert uncut(ticked) == uncut(alone)
    for row in alone["transactions"]:
        moment = row["customer"], row["at"]
        assert balance_at(ticked, *moment) == balance_at(alone, *moment)


@many
@given(scenarios())
def test_no_wallet_is_negative_and_each_balance_is_the_sum_of_its_movements(scenario: dict[str, Any]) -> None:
    outcome = play(scenario)
    for name, customer in outcome["customers"].items():
        rows = [row for row in outcome["transactions"] if row["customer"] == name]
        balance = Decimal(0)
        for row in rows:
            balance += Decimal(row["amount"])
            assert balance == Decimal(row["balance"]) >= 0
        assert balance == Decimal(customer["balance"])
        instants = [datetime.fromisoformat(row["at"]) for row in rows]
        assert instants == sorted(instants)


@many
@given(scenarios())
def test_charged_is_the_sum_of_the_subscriptions_movements(scenario: dict[str, Any]) -> None:
    outcome = play(scenario)
    for name, subscription in outcome["subscriptions"].items():
        rows = [Decimal(row["amount"]) for row in outcome["transactions"] if row["subscription"] == name]
        assert Decimal(subscription["charged"]) == -sum(rows) >= 0


def uncut(outcome: dict[str, Any]) -> list[Any]:
    """Return the outcome with consecutive charges of a subscription added up, by customer."""
    folded: list[Any] = []
    for name in outcome["customers"]:
        sums: dict[str, Decimal] = {}
        for row in (row for row in outcome["transactions"] if row["customer"] == name):
            if row["reason"] == "charge":
                sums[row["subscription"]] = sums.get(row["subscription"], Decimal(0)) + Decimal(row["amount"])
            else:
                folded.append((name, sums, row))
                sums = {}
        folded.append((name, sums))
    return folded


def balance_at(outcome: dict[str, Any], customer: str, at: str) -> str:
    """Return the balance after everything that happened at the instant."""
    instant = datetime.fromisoformat(at)
    rows = (row for row in outcome["transactions"] if row["customer"] == customer)
    return str([row["balance"] for row in rows if datetime.fromisoformat(row["at"]) <= instant][-1])
