"""The engine against the slow, obvious model, and against itself under any scheduler."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.subscriptions.engine import model
from tests.subscriptions.engine.strategies import scenarios, ticks
from tests.subscriptions.simulation.scenario_files import play

# The bare engine is quick, and the rules are many: more examples than elsewhere.
many = settings(max_examples=max(150, settings().max_examples))


@many
@given(scenarios())
def test_the_engine_says_what_the_model_says(scenario: dict[str, Any]) -> None:
    assert play(scenario) == model.play(scenario)


@many
@given(st.data())
def test_with_ticks_too_the_engine_says_what_the_model_says(data: st.DataObject) -> None:
    scenario = data.draw(scenarios())
    scenario["ticks"] = data.draw(ticks(scenario))
    assert play(scenario) == model.play(scenario)


@many
@given(st.data())
def test_no_scheduler_makes_a_difference(data: st.DataObject) -> None:
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
def test_no_wallet_goes_below_zero_and_each_is_the_sum_of_its_rows(scenario: dict[str, Any]) -> None:
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
def test_what_a_subscription_was_charged_is_what_its_rows_say(scenario: dict[str, Any]) -> None:
    outcome = play(scenario)
    for name, subscription in outcome["subscriptions"].items():
        rows = [Decimal(row["amount"]) for row in outcome["transactions"] if row["subscription"] == name]
        assert Decimal(subscription["charged"]) == -sum(rows) >= 0


def uncut(outcome: dict[str, Any]) -> list[Any]:
    """The money that came and went between one movement other than a charge and the next, by customer."""
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
    """The balance that stood when everything of the instant was done."""
    instant = datetime.fromisoformat(at)
    rows = (row for row in outcome["transactions"] if row["customer"] == customer)
    return str([row["balance"] for row in rows if datetime.fromisoformat(row["at"]) <= instant][-1])
