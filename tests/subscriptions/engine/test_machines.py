"""State machine tests: after every step the engine agrees with the model, with a ticked engine and with the tables.

test_against_model.py compares whole scenarios. Comparing each step lets a failure shrink to the few steps that matter.
"""

from datetime import datetime
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from subscriptions.engine.calendar import to_micros
from subscriptions.simulation.database_stage import DatabaseStage
from subscriptions.simulation.engine_stage import EngineStage
from subscriptions.simulation.play import Record, Stage
from subscriptions.simulation.scenario import Known, Scenario, read, read_step
from tests.ledger.snapshot import found
from tests.subscriptions.engine.model.play import act, full, outcome
from tests.subscriptions.engine.model.settlement import settle
from tests.subscriptions.engine.model.state import Book, Refused, Sub, new_book
from tests.subscriptions.engine.strategies import (
    CURRENCIES,
    STARTS,
    amounts,
    gaps,
    money,
    plans,
    request,
    subscribe,
    written,
)

END = datetime.fromisoformat("2900-01-01T00:00:00Z")
Event = dict[str, Any]


class Billing(RuleBasedStateMachine):
    """Ann's wallet on every stage and in the model. The stage "ticked" is settled at random instants."""

    stages: dict[str, Stage] = {}

    @initialize(data=st.data())
    def open_shop(self, data: st.DataObject) -> None:
        self.currency = data.draw(st.sampled_from(CURRENCIES))
        self.offered = data.draw(plans(self.currency))
        self.at = data.draw(st.sampled_from(STARTS))
        empty = {"currency": self.currency, "until": written(END), "plans": self.offered, "events": []}
        self.known = Known()
        self.scenario = read(empty, self.known)
        self.stages = self.open_stages(self.scenario)
        self.plans = {plan["code"]: full(plan, self.currency) for plan in self.offered}
        self.book: Book = new_book("ann", self.at)
        self.subs: dict[str, Sub] = {}
        self.made: list[str] = []
        self.has_acted = False

    def open_stages(self, scenario: Scenario) -> dict[str, Stage]:
        return {"quiet": EngineStage(scenario), "ticked": EngineStage(scenario)}

    @rule(data=st.data())
    def time_passes(self, data: st.DataObject) -> None:
        self.at += data.draw(gaps(self.offered))

    @rule(data=st.data())
    def a_tick_settles(self, data: st.DataObject) -> None:
        self.at += data.draw(gaps(self.offered))
        self.stages["ticked"].settle(to_micros(self.at))

    @rule(data=st.data(), do=st.sampled_from(["top_up", "top_up", "top_up", "withdraw", "dispute_lost"]))
    def money_moves(self, data: st.DataObject, do: str) -> None:
        amount = money(data.draw(amounts(self.offered)), self.currency)
        self.act({"do": do, "customer": "ann", "amount": amount})

    @precondition(lambda self: len(self.made) < 4)
    @rule(data=st.data())
    def somebody_subscribes(self, data: st.DataObject) -> None:
        self.act(data.draw(subscribe(self.offered, ["ann"], self.made)))

    @precondition(lambda self: self.made)
    @rule(data=st.data())
    def somebody_requests_a_change(self, data: st.DataObject) -> None:
        self.act(data.draw(request(self.offered, self.made)))

    @precondition(lambda self: self.made)
    @rule(data=st.data())
    def somebody_pays_for_a_subscription(self, data: st.DataObject) -> None:
        amount = money(data.draw(amounts(self.offered)), self.currency)
        name = data.draw(st.sampled_from(self.made))
        self.act({"do": "top_up", "customer": "ann", "amount": amount, "for": name})

    def act(self, event: Event) -> None:
        """Play the event on every stage and in the model; all must accept it or all must refuse it."""
        event = {"at": written(self.at), **event}
        step = read_step(event, self.known)
        settle(self.book, self.at)
        try:
            act(self.book, {**event, "at": self.at}, self.plans, self.subs, self.currency)
            allowed = True
        except Refused:
            allowed = False
        assert {name: stage.act(step) for name, stage in self.stages.items()} == dict.fromkeys(self.stages, allowed)
        self.has_acted = True

    @invariant()
    def all_agree(self) -> None:
        """Settled to this instant, every stage has the outcome of the model."""
        settle(self.book, self.at)
        expected = outcome({"ann": self.book}, self.currency, []) if self.has_acted else {}
        for name, stage in self.stages.items():
            if name != "ticked":
                stage.settle(to_micros(self.at))
                actual = outcome_of(stage, self.currency)
                assert {part: actual[part] for part in expected} == expected

    def teardown(self) -> None:
        """Assert that the ticks have not changed the outcome."""
        for stage in self.stages.values():
            stage.settle(to_micros(self.at))
        quiet, ticked = (outcome_of(self.stages[name], self.currency) for name in ("quiet", "ticked"))
        for part in ("customers", "subscriptions"):
            assert ticked[part] == quiet[part]


def outcome_of(stage: Stage, currency: str) -> Any:
    """Return the outcome so far. The tables are read again each time."""
    if isinstance(stage, DatabaseStage):
        stage.record = Record(currency)
    return stage.outcome()


class BillingInTables(Billing):
    """The same with an additional stage through subscriptions.books and real rows."""

    def open_stages(self, scenario: Scenario) -> dict[str, Stage]:
        # Each example is rolled back before the next.
        self.rows = transaction.atomic()
        self.rows.__enter__()
        ticked = DatabaseStage(scenario, most_held=0)
        return {"quiet": EngineStage(scenario), "tables": DatabaseStage(scenario), "ticked": ticked}

    def teardown(self) -> None:
        try:
            super().teardown()
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            assert found() == {}
        finally:
            transaction.set_rollback(True)
            self.rows.__exit__(None, None, None)


def test_engine_and_model_agree_after_every_step() -> None:
    run_state_machine_as_test(Billing, settings=settings(max_examples=max(100, settings().max_examples)))


@pytest.mark.django_db
def test_engine_and_tables_agree_after_every_step() -> None:
    few = settings(
        max_examples=max(15, settings().max_examples // 20), stateful_step_count=30,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )  # fmt: skip
    run_state_machine_as_test(BillingInTables, settings=few)
