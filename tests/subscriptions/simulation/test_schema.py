"""The published JSON Schemas: the committed files are what the definitions yield, and agree with the reader."""

import json
from collections.abc import Iterator
from copy import deepcopy
from functools import reduce
from operator import getitem
from typing import Any

import pytest
from django.core.management import call_command

from subscriptions.simulation.fields import BadScenario
from subscriptions.simulation.files import DECODER
from subscriptions.simulation.scenario import read
from subscriptions.simulation.schema import DEFINITIONS
from tests.subscriptions.simulation.scenario_files import DOCS, SCENARIOS, scenario, schema
from tests.subscriptions.simulation.test_bad_scenarios import CASES, GOOD

# What a mistaken hand or program might write in any place.
ODD = [
    True, 0, 1, -1, 1.5, 10**30, "", "x", "0", "-0", "1.005", "1e2", "now", "month", "second", "RUB", "\0", "top_up",
    "2026-02-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-02-01", [], [1], ["a", "b"], {}, {"x": 1},
]  # fmt: skip

# Every kind of plan and event, with every field.
FULL: dict[str, Any] = {
    "title": "t", "story": "s", "currency": "RUB", "until": "2026-03-01T00:00:00Z", "order_days": 7,
    "ticks": {"every_seconds": 60, "down": [["2026-02-01T00:00:00Z", "2026-02-02T00:00:00+03:00"]]},
    "plans": [
        {
            "code": "basic", "name": "Basic", "amount": "99.00", "interval": "month", "interval_count": 1,
            "metered": False, "trial_days": 1, "grace_days": 2, "keep_days": 3, "trial_quantity_max": 4,
            "can_pause": False, "can_refund_unused": False,
        },
        {
            "code": "meter", "name": 1, "amount": 1, "interval": "hour", "interval_count": 2,
            "metered": True, "trial_days": 1, "grace_days": 0, "keep_days": 0, "trial_quantity_max": 1,
            "can_pause": True, "can_refund_unused": True,
        },
    ],
    "events": [
        {"at": "2026-02-01T00:00:00Z", **event}
        for event in (
            {"do": "top_up", "customer": "ann", "amount": "100.00"},
            {"do": "withdraw", "customer": "ann", "amount": 1},
            {
                "do": "subscribe", "customer": "ann", "plan": "basic", "as": "s",
                "quantity": 2, "periods": 3, "auto_renew": False, "checkout": True,
            },
            {"do": "top_up", "customer": "ann", "amount": "600.00", "for": "s"},
            {"do": "start", "subscription": "s"},
            {"do": "change_plan", "subscription": "s", "plan": "meter", "when": "now"},
            {"do": "change_quantity", "subscription": "s", "quantity": 5, "when": "period_end"},
            {"do": "set_auto_renew", "subscription": "s", "value": True},
            {"do": "dispute_lost", "customer": "ann", "amount": "600.00"},
            {"do": "pause", "subscription": "s"},
            {"do": "resume", "subscription": "s"},
            {"do": "cancel", "subscription": "s", "when": "period_end", "refund_unused": True},
            {"do": "undo_cancel", "subscription": "s"},
        )
    ],
}  # fmt: skip

# Complaints about what one object holds, whatever the others do: what a schema can say as well.
ALONE = (
    "is missing", "is not known here", "is not an object", "is not a list", "is not a text", "is too short",
    "is not true or false", "is not one of top_up", "is not one of now", "is not one of AED", "is not one of hour",
)  # fmt: skip


def is_taken(value: Any) -> bool:
    try:
        # As from a file: numbers exact.
        read(DECODER.decode(json.dumps(value)))
    except BadScenario:
        return False
    return True


@pytest.mark.parametrize("name", DEFINITIONS)
def test_the_committed_schema_is_what_the_definition_yields(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """To renew it: manage.py simulate --schema NAME > docs/schema/NAME.schema.json."""
    call_command("simulate", schema=name)
    assert (DOCS / "schema" / f"{name}.schema.json").read_text() == capsys.readouterr().out


@pytest.mark.parametrize("value", [FULL, GOOD, *map(scenario, SCENARIOS)])
def test_the_schema_and_the_reader_take_every_good_scenario(value: dict[str, Any]) -> None:
    assert schema("scenario").is_valid(value)
    assert is_taken(value)


@pytest.mark.parametrize("change", [change for change, said in CASES if any(words in said for words in ALONE)])
def test_the_schema_too_refuses_what_is_wrong_by_itself(change: dict[str, Any]) -> None:
    assert not schema("scenario").is_valid({**GOOD, **change})


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every value inside `value`."""
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [inner for key in keys for inner in [(*path, key), *places(value[key], (*path, key))]]


def variants(value: Any, path: tuple[Any, ...]) -> Iterator[Any]:
    """Yield `value` with something else at `path`, without it, and with an unknown field beside it."""
    for put in [*ODD, None]:
        made = deepcopy(value)
        holder = reduce(getitem, path[:-1], made)
        holder[path[-1]] = put
        yield made
    del holder[path[-1]]
    yield made
    if isinstance(holder, dict):
        holder[path[-1]] = reduce(getitem, path, value)
        holder["x"] = 1
        yield made


@pytest.mark.parametrize("path", places(FULL), ids=str)
def test_the_schema_never_refuses_what_the_reader_takes(path: tuple[Any, ...]) -> None:
    """The other way round the reader is stricter: order of time, references, the currency's decimals."""
    published = schema("scenario")
    for variant in variants(FULL, path):
        assert not is_taken(variant) or published.is_valid(variant), variant


def test_no_object_takes_an_unknown_field() -> None:
    published = schema("scenario")
    for path in [(), *places(FULL)]:
        made = deepcopy(FULL)
        place = reduce(getitem, path, made)
        if isinstance(place, dict):
            place["x"] = 1
            assert not published.is_valid(made)
            assert not is_taken(made)
