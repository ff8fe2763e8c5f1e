"""The integrity checks raise no false alarm, whatever customers do."""

from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings

from subscriptions.simulation.database_stage import DatabaseStage
from subscriptions.simulation.play import play_on
from subscriptions.simulation.scenario import read
from tests.ledger.snapshot import found
from tests.subscriptions.engine.strategies import scenarios


@pytest.mark.django_db
@settings(max_examples=max(25, settings().max_examples // 10), suppress_health_check=[HealthCheck.too_slow])
@given(scenarios(most_events=12))
def test_the_checks_pass_after_any_scenario(scenario: dict[str, Any]) -> None:
    parsed = read(scenario)
    with transaction.atomic():
        play_on(DatabaseStage(parsed), parsed)
        assert found() == {}
        transaction.set_rollback(True)
