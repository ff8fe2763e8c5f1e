"""The scenarios and schemas of docs/. No test lives here."""

import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

DOCS = Path(__file__).resolve().parents[2] / "docs"
SCENARIOS = {path.stem: path for path in sorted((DOCS / "scenarios").glob("*.json"))}


def scenario(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(SCENARIOS[name].read_text())
    return loaded


def schema(name: str) -> Draft202012Validator:
    """The validator for `scenario` or `simulation`."""
    loaded = json.loads((DOCS / "schema" / f"{name}.schema.json").read_text())
    Draft202012Validator.check_schema(loaded)
    return Draft202012Validator(loaded)
