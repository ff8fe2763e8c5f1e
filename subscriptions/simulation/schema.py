"""The JSON Schemas of docs/schema/, written from the definitions that read scenarios and describe outcomes."""

import json
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from subscriptions.simulation.play import Outcome
from subscriptions.simulation.scenario import Scenario

DEFINITIONS: dict[str, Any] = {"scenario": Scenario, "simulation": Outcome}


class Untitled(GenerateJsonSchema):
    """Gives no title to a field: it would only say the name again."""

    def field_title_should_be_set(self, _: Any) -> bool:
        return False


def published(name: str) -> str:
    """Return the JSON Schema `name`, as docs/schema/<name>.schema.json holds it."""
    head = {"$schema": Untitled.schema_dialect, "$id": f"{name}.schema.json"}
    schema = TypeAdapter(DEFINITIONS[name]).json_schema(schema_generator=Untitled)
    return json.dumps(head | schema, indent=2)
