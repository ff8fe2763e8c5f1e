"""Property tests: the engine agrees with the model, and with itself under any schedule of ticks."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.subscriptions.engine import model
from tests.subscriptions.engine.model.fold import fold
from tests.subscriptions.engine.strategies import scenarios, ticks
from tests.subscriptions.simulation.scenario_files import play

# The engine is fast and has many rules: use more examples than elsewhere.
many = settings(max_examples=max(150, settings().max_examples))


@many
@given(scenarios())
def test_the_engine_agrees_with_the_model(scenario: dict[str, Any]) -> None:
    assert fold(play(scenario)) == fold(model.play(scenario))


@many
@given(st.data())
def test_the_engine_agrees_with_the_model_with_ticks(data: st.DataObject) -> None:
    scenario = data.draw(scenarios())
    scenario["ticks"] = data.draw(ticks(scenario))
    assert fold(play(scenario)) == fold(model.play(scenario))


@many
@given(st.data())
def test_ticks_do_not_change_the_outcome(data: st.DataObject) -> None:
    """Only how metered charges are cut into transactions, which `fold` leaves out."""
    scenario = data.draw(scenarios())
    alone = play(scenario)
    ticked = play({**scenario, "ticks": data.draw(ticks(scenario))})
    assert fold(ticked) == fold(alone)
    if not any(plan["metered"] for plan in scenario["plans"]):
        assert ticked["transactions"] == alone["transactions"]


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
        assert 0 in (balance, Decimal(customer["debt"]))
        instants = [datetime.fromisoformat(row["at"]) for row in rows]
        assert instants == sorted(instants)


@many
@given(scenarios())
def test_money_in_is_what_is_left_less_what_is_owed_and_what_was_charged(scenario: dict[str, Any]) -> None:
    """A charge that the wallet could not pay is a debt until the next money, so it is no movement of the wallet."""
    outcome = play(scenario)
    for name, customer in outcome["customers"].items():
        own = {event["as"] for event in scenario["events"] if event.get("as") and event["customer"] == name}
        charged = sum(Decimal(sub["charged"]) for key, sub in outcome["subscriptions"].items() if key in own)
        rows = [row for row in outcome["transactions"] if row["customer"] == name]
        came = sum(Decimal(row["amount"]) for row in rows if row["reason"] in ("top_up", "refund"))
        disputed = sum(
            Decimal(event["amount"])
            for event in scenario["events"]
            if event["do"] == "dispute_lost" and event["customer"] == name
        )
        assert came - disputed == Decimal(customer["balance"]) - Decimal(customer["debt"]) + charged


@many
@given(scenarios())
def test_charged_is_the_sum_of_the_subscriptions_movements(scenario: dict[str, Any]) -> None:
    """With grace some of it is a debt until money comes, and then no movement of the subscription."""
    outcome = play(scenario)
    has_grace = any(plan.get("grace_days") for plan in scenario["plans"])
    for name, subscription in outcome["subscriptions"].items():
        moved = -sum(Decimal(row["amount"]) for row in outcome["transactions"] if row["subscription"] == name)
        charged = Decimal(subscription["charged"])
        assert charged >= moved if has_grace else charged == moved >= 0
