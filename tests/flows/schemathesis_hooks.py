"""What a document cannot say and a shop knows: a module of hooks for Schemathesis (SCHEMATHESIS_HOOKS).

In requests that the document allows, values that it leaves open become those that this shop has: what it sells, in
which currency, through which gateway, and to which pages it sends customers back. Requests that it forbids stay.
"""

import json
import os
import unicodedata
from typing import Any

import schemathesis

# By the name of a field or parameter: the values that the shop has. See test_api_clients.
KNOWN: dict[str, list[Any]] = json.loads(os.environ["SHOP_KNOWS"])
# An order may be for ten years and for what one payment can be; both depend on the price.
COUNTS = ("periods", "duration", "quantity")
MOST = 6


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case, kwargs: dict[str, Any]) -> None:
    """Replace what only the shop knows."""
    operation = context.operation.definition.raw["operationId"] if context.operation else ""
    if operation == "auth_me_partial_update" and isinstance(case.body, dict):
        # It would end the session of all other requests.
        case.body.pop("password", None)
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if operation == "payments_create_checkout_session" and isinstance(case.body, dict):
        # What is due depends on all the rest of the order.
        case.body.pop("amount", None)
    for container in (case.body, case.query, case.path_parameters):
        if isinstance(container, dict):
            container.update({name: known(name, value) for name, value in container.items()})


def known(name: str, value: Any) -> Any:
    """Return a value of this name that the shop takes."""
    if name in KNOWN:
        same = [each for each in KNOWN[name] if isinstance(value, int | float) == isinstance(each, int | float)]
        return same[len(str(value)) % len(same)] if same else KNOWN[name][0]
    if name in COUNTS and isinstance(value, int | float):
        return min(int(value), MOST)
    if isinstance(value, dict):
        return {key: known(key, part) for key, part in value.items()}
    return assigned(value) if isinstance(value, str) else value


def assigned(text: str) -> str:
    """Return the text without private characters and those that Unicode has not assigned: no pattern can name them."""
    return "".join("x" if unicodedata.category(each) in ("Cf", "Cn", "Co") else each for each in text)
