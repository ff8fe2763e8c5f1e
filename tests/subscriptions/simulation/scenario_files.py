"""The scenarios and schemas of docs/, and playing what was parsed from JSON. No test lives here."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from subscriptions.simulation import database_stage, engine_stage
from subscriptions.simulation.scenario import read

DOCS = Path(__file__).resolve().parents[3] / "docs"
SCENARIOS = {path.stem: path for path in sorted((DOCS / "scenarios").glob("*.json"))}


def scenario(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(SCENARIOS[name].read_text())
    return loaded


@cache
def schema(name: str) -> Draft202012Validator:
    """The validator for `scenario` or `simulation`."""
    loaded = json.loads((DOCS / "schema" / f"{name}.schema.json").read_text())
    Draft202012Validator.check_schema(loaded)
    return Draft202012Validator(loaded)


def play(value: Any) -> Any:
    """Play on the bare engine."""
    return engine_stage.play(read(value))


def play_in_tables(value: Any, *, most_held: int = database_stage.MOST_HELD) -> Any:
    return database_stage.play(read(value), most_held=most_held)
