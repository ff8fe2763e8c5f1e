"""The tables against the bare engine: the same scenario, row for row; and what must hold between the rows."""

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.db import transaction
from django.test import override_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from events.models import Event
from subscriptions import billing_run, overview
from subscriptions.engine.calendar import to_datetime
from subscriptions.models import Charge, Subscription
from subscriptions.simulation.database_stage import MOST_HELD, DatabaseStage
from subscriptions.simulation.play import play_on
from subscriptions.simulation.scenario import read
from tests.subscriptions.engine.strategies import scenarios, ticks
from tests.subscriptions.simulation.scenario_files import play, play_in_tables

pytestmark = pytest.mark.django_db

# Tables are a hundred times slower than the bare engine: fewer examples, in every profile.
slow = settings(
    max_examples=max(25, settings().max_examples // 10),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@slow
@given(scenarios(most_events=10))
def test_the_tables_say_row_for_row_what_the_engine_says(scenario: dict[str, Any]) -> None:
    assert play_in_tables(scenario) == play(scenario)


def test_the_tables_are_exact_in_every_century() -> None:
    """In floating point a microsecond is lost from 2255 on: 2^53 of them after 1970."""
    meter = {"code": "meter", "amount": "0.01", "interval": "second", "interval_count": 7, "metered": True}
    events: list[dict[str, Any]] = [
        {"at": "2799-12-31T23:59:59.999999Z", "do": "top_up", "customer": "ann", "amount": "1.00"},
        {"at": "2799-12-31T23:59:59.999999Z", "do": "subscribe", "customer": "ann", "plan": "meter", "as": "s"},
        {"at": "2801-01-01T00:00:00.000001Z", "do": "top_up", "customer": "ann", "amount": "0.01"},
    ]
    scenario = {"currency": "RUB", "until": "2999-01-01T00:00:00.000003Z", "plans": [meter], "events": events}
    assert play_in_tables(scenario) == play(scenario)


@slow
@given(st.data())
def test_with_ticks_too_the_tables_say_what_the_engine_says(data: st.DataObject) -> None:
    scenario = data.draw(scenarios(most_events=6, most_customers=1))
    scenario["ticks"] = data.draw(ticks(scenario))
    for most_held in (0, 3, MOST_HELD):
        assert play_in_tables(scenario, most_held=most_held) == play(scenario)


@slow
@given(st.data())
def test_the_billing_run_settles_every_book_that_has_anything_to_write(data: st.DataObject) -> None:
    """With metered use written down at every chance, a run does at each tick what settling every book does."""
    scenario = data.draw(scenarios(most_events=6))
    scenario["ticks"] = data.draw(ticks(scenario))
    parsed = read(scenario)
    with override_settings(BILLING_METER_EVERY=timedelta(microseconds=1)), transaction.atomic():
        outcome = play_on(ByTheRun(parsed), parsed)
        transaction.set_rollback(True)
    assert outcome == play(scenario)


class ByTheRun(DatabaseStage):
    """Ticks are the scheduler's own billing run."""

    def settle(self, at: int) -> None:
        run = billing_run.run_due(now=to_datetime(at), catch_up=True)
        assert (run.parked, run.held_back) == (0, 0)


@slow
@given(scenarios(most_events=10))
def test_access_is_right_with_every_worker_dead(scenario: dict[str, Any]) -> None:
    parsed = read(scenario)
    with transaction.atomic():
        stage = NeverSettled(parsed)
        play_on(stage, parsed)
        now = to_datetime(parsed.until)
        seen = {name: overview.access(row, now=now) for name, row in rows_of(stage).items()}
        transaction.set_rollback(True)
    expected = play(scenario)["subscriptions"]
    assert {name: access.reason for name, access in seen.items()} == {
        name: subscription["status"] for name, subscription in expected.items()
    }
    for name, access in seen.items():
        spans = expected[name]["access"]
        assert access.active == bool(spans and spans[-1][1] is None)


class NeverSettled(DatabaseStage):
    """No scheduler at all, not even at the end."""

    def settle(self, at: int) -> None:
        pass


@slow
@given(scenarios(most_events=10))
def test_every_second_of_paid_use_stands_in_exactly_one_charge(scenario: dict[str, Any]) -> None:
    parsed = read(scenario)
    with transaction.atomic():
        stage = DatabaseStage(parsed)
        play_on(stage, parsed)
        until = to_datetime(parsed.until)
        for row in rows_of(stage).values():
            assert joined(charged_spans(row, until)) == joined(used_spans(row, until))
        transaction.set_rollback(True)


def test_a_free_meter_is_charged_nothing_up_to_the_end() -> None:
    """It never runs dry, so that nothing wakes its book before the end of the scenario."""
    free = {"code": "free", "amount": "0.00", "interval": "hour", "metered": True}
    start, until = "2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z"
    events = [{"at": start, "do": "subscribe", "customer": "ann", "plan": "free", "as": "s"}]
    parsed = read({"currency": "RUB", "until": until, "plans": [free], "events": events})
    with transaction.atomic():
        stage = DatabaseStage(parsed)
        play_on(stage, parsed)
        [span] = charged_spans(rows_of(stage)["s"], datetime.fromisoformat(until))
        transaction.set_rollback(True)
    assert span == (datetime.fromisoformat(start), datetime.fromisoformat(until))


def test_ticks_write_a_book_once_for_many_charges(django_assert_max_num_queries: Any) -> None:
    """A meter with a tick an hour for 60 days: 1441 charges, written at the event, after a thousand, and at the end."""
    meter = {"code": "meter", "amount": "1.00", "interval": "hour", "metered": True}
    start = "2026-01-01T00:00:00Z"
    events = [
        {"at": start, "do": "top_up", "customer": "ann", "amount": "5000.00"},
        {"at": start, "do": "subscribe", "customer": "ann", "plan": "meter", "as": "s"},
    ]
    scenario = {
        "currency": "RUB", "until": "2026-03-02T00:00:00Z", "plans": [meter], "events": events,
        "ticks": {"every_seconds": 3600},
    }  # fmt: skip
    with django_assert_max_num_queries(150):
        outcome = play_in_tables(scenario)
    assert outcome == play(scenario)
    assert len(outcome["transactions"]) == 1 + 60 * 24


def rows_of(stage: DatabaseStage) -> dict[str, Subscription]:
    return {name: Subscription.objects.get(pk=row.pk) for name, row in stage.subscriptions.items()}


Span = tuple[datetime, datetime]


def charged_spans(subscription: Subscription, until: datetime) -> list[Span]:
    """Each charge up to where its use ended, in order; no two of them may overlap."""
    charges = Charge.objects.filter(subscription=subscription, period_start__lte=until).order_by("period_start", "id")
    spans = [(row.period_start, min(row.ended_at or row.period_end, until)) for row in charges]
    for earlier, later in pairwise(spans):
        assert earlier[1] <= later[0]
    return spans


def used_spans(subscription: Subscription, until: datetime) -> list[Span]:
    """When it was active or in days of grace; a trial costs nothing, and grace is charged when it is over."""
    turns = list(
        Event.objects.filter(subject=subscription.public_id).order_by("id").values_list("effective_at", "data")
    )
    ends = [*[at for at, _ in turns[1:]], until]
    spans = [(at, end, data["to"]) for (at, data), end in zip(turns, ends, strict=True)]
    while spans and spans[-1][2] == "past_due":
        spans.pop()
    return [(at, end) for at, end, status in spans if status in ("active", "past_due")]


def joined(spans: list[Span]) -> list[Span]:
    """Join touching spans and leave out empty ones."""
    whole: list[Span] = []
    for start, end in spans:
        if start == end:
            continue
        if whole and whole[-1][1] == start:
            whole[-1] = whole[-1][0], end
        else:
            whole.append((start, end))
    return whole
