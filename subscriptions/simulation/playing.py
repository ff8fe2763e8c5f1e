"""Playing a scenario: ticks and events in order of time, on a stage that does them and records what came of it."""

from collections.abc import Callable
from typing import Any, Protocol

from subscriptions.simulation.outcome import Record
from subscriptions.simulation.pure import PureStage
from subscriptions.simulation.reading import read
from subscriptions.simulation.scenario import Scenario, Step


class Stage(Protocol):
    """Where a scenario is played: on the bare engine or on the real tables."""

    record: Record

    def act(self, step: Step) -> bool:
        """Settle the customer's book to the step's instant and do the step; tell whether the rules allowed it."""

    def settle(self, at: int) -> None:
        """Settle every book there is to `at`, as the scheduler does."""

    def outcome(self) -> dict[str, Any]:
        """Say how everything stands and what happened on the way."""


def ignore(_: int) -> None:
    """Show no progress."""


def play(scenario: Any) -> dict[str, Any]:
    """Play a scenario, as parsed from JSON, on the bare engine; raise BadScenario when it is not one."""
    return perform(read(scenario))


def perform(scenario: Scenario, advance: Callable[[int], None] = ignore) -> dict[str, Any]:
    """Play a scenario that was read already."""
    return play_on(PureStage(scenario), scenario, advance)


def play_on(stage: Stage, scenario: Scenario, advance: Callable[[int], None] = ignore) -> dict[str, Any]:
    """Play on `stage`; `advance` hears how many ticks and events were done since it was called last.

    A tick comes before the events of its instant, which makes no difference to what they find (R1).
    """
    ticks = scenario.tick_instants()
    tick = next(ticks, None)
    for index, step in enumerate(scenario.steps):
        while tick is not None and tick <= step.at:
            stage.settle(tick)
            advance(1)
            tick = next(ticks, None)
        if not stage.act(step):
            stage.record.rejected.append(index)
        advance(1)
    while tick is not None:
        stage.settle(tick)
        advance(1)
        tick = next(ticks, None)
    stage.settle(scenario.until)
    return stage.outcome()
