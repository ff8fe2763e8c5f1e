"""The tables against the bare engine: the same scenario, row for row; and the books in between."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from subscriptions.simulation import play, real
from tests.engine.strategies import scenarios, ticks

# Tables are a hundred times slower than the bare engine: fewer examples, in every profile.
slow = settings(
    max_examples=max(25, settings().max_examples // 10),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.mark.django_db
@slow
@given(scenarios(most_events=10))
def test_the_tables_say_row_for_row_what_the_engine_says(scenario: dict[str, Any]) -> None:
    assert real.play(scenario) == play(scenario)


@pytest.mark.django_db
@slow
@given(st.data())
def test_with_ticks_too_the_tables_say_what_the_engine_says(data: st.DataObject) -> None:
    scenario = data.draw(scenarios(most_events=6, most_customers=1))
    scenario["ticks"] = data.draw(ticks(scenario))
    assert real.play(scenario) == play(scenario)
