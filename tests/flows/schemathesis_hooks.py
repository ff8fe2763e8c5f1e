"""What a document cannot say and a shop knows: a module of hooks for Schemathesis (SCHEMATHESIS_HOOKS).

It narrows values that the document leaves open to those that this shop has: what it sells, in which currency, through
which gateway, and to which pages it sends customers back. Nothing else of the document is changed, so what it allows
beside these is sent and must be accepted.
"""

import json
import os
from collections.abc import Iterator
from typing import Any

import schemathesis

# By the name of a field or parameter: the schema of the values that the shop has. See test_api_clients.
KNOWN: dict[str, dict[str, Any]] = json.loads(os.environ["SHOP_KNOWS"])
# The document allows all characters but the unseen ones: no pattern can leave out those that Unicode may assign later.
ASSIGNED = "^[!-~А-яα-ωぁ-ん]+$"


@schemathesis.hook
def before_load_schema(context: schemathesis.HookContext, raw_schema: dict[str, Any]) -> None:
    """Narrow the document to what the shop has."""
    for name, component in raw_schema["components"]["schemas"].items():
        if name.endswith("Request") and name != "AmountRequest":
            fields = component.get("properties", {})
            fields.update({field: KNOWN[field] for field in fields.keys() & KNOWN.keys()})
            assign(component)
    raw_schema["components"]["schemas"]["AmountRequest"] = KNOWN["amount"]
    # What is due depends on all the rest of an order, and a new password ends all sessions.
    del raw_schema["components"]["schemas"]["CheckoutRequest"]["properties"]["amount"]
    del raw_schema["components"]["schemas"]["ProfileRequest"]["properties"]["password"]
    for parameter in parameters(raw_schema):
        if parameter["name"] in KNOWN:
            parameter["schema"] = KNOWN[parameter["name"]]
        assign(parameter)


def parameters(raw_schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Return the parameters of all operations."""
    for operations in raw_schema["paths"].values():
        for operation in operations.values():
            yield from operation.get("parameters", [])


def assign(schema: Any) -> None:
    """Replace the patterns of texts, which begin by leaving out the unseen characters, also in what is nested."""
    if isinstance(schema, dict):
        if str(schema.get("pattern", "")).startswith(r"^[^\u0000-"):
            schema["pattern"] = ASSIGNED
        for part in schema.values():
            assign(part)
