"""What the OpenAPI document says beside the serializers: bounds of parameters, patterns, summaries, either-or.

Rules of the form "one or the other" use `if`, `then` and `not`: validators and test tools know them, and generators of
clients pass over them, where `oneOf` would make them generate classes for each case.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer

METHODS = ("get", "post", "put", "patch", "delete")
CURRENCY = "^[A-Z]{3}$"
# The first character, up to 253 more, and the last one: printable ASCII without commas, no space at either end.
IDEMPOTENCY_KEY = {
    "type": "string",
    "minLength": 1,
    "maxLength": 255,
    "pattern": r"^[!-+\-./0-~]([ -+\-./0-~]*[!-+\-./0-~])?$",
}
# Text as core.api.fields takes it: without control characters and other invisible ones, and with one that is no space.
# Characters that are private or not assigned yet are refused too: they are too many for a pattern.
_UNSEEN = (
    r"\u0000-\u001F\u007F-\u009F\u00AD\u0600-\u0605\u061C\u06DD\u070F\u0890\u0891\u08E2\u180E"
    r"\u200B\u200E\u200F\u2028-\u202E\u2060-\u206F\uFEFF\uFFF9-\uFFFB"
)
_SPACES = r" \u00A0\u1680\u2000-\u200A\u202F\u205F\u3000"
TEXT = f"^[^{_UNSEEN}]*$"
TEXT_NOT_BLANK = f"^[^{_UNSEEN}]*[^{_UNSEEN}{_SPACES}][^{_UNSEEN}]*$"
# Text that is taken as it is, such as a password; and one that is not blank without the spaces at its ends, a token.
STRING = r"^[^\u0000]*$"
STRING_NOT_BLANK = rf"^[^\u0000]*[^\u0000\u0009-\u000D\u001C-\u001F\u0085\u2028\u2029{_SPACES}][^\u0000]*$"
PARAMETERS: dict[str, dict[str, Any]] = {
    "limit": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20},
    "cursor": {"type": "string", "minLength": 1},
}
# Filters that are texts, with the length that each may have.
TEXT_FILTERS = {"client_reference_id": 200, "plan": 60, "subject": 40, "subscription": 40}
# Ids of objects in paths, by the list that they are in. A payment may have an id that its program has chosen.
IDS = {
    "subscriptions": "^sub_[0-9a-z]{26}$",
    "payments": "^[A-Za-z0-9][A-Za-z0-9_-]{7,39}$",
    "payment-methods": "^pm_[0-9a-z]{26}$",
    "consents": "^con_[0-9a-z]{26}$",
    "automatic-top-ups": "^atu_[0-9a-z]{26}$",
}
DESCRIPTIONS = {"limit": "How many on a page.", "cursor": "From the links `next` and `previous`."}


def either(one: str, other: str) -> dict[str, Any]:
    """Return the rule that exactly one of two fields is sent."""
    return {"if": {"required": [one]}, "then": {"not": {"required": [other]}}, "else": {"required": [other]}}


def not_both(one: str, *others: str) -> dict[str, Any]:
    """Return the rule that a field is not sent together with any of the others."""
    return {"if": {"required": [one]}, "then": {"not": {"anyOf": [{"required": [other]} for other in others]}}}


def document_details(result: dict[str, Any], **_more: Any) -> dict[str, Any]:
    """Complete the document: a hook of drf-spectacular."""
    components = result.get("components", {}).get("schemas", {})
    for path, operation in _operations(result):
        _summarize(operation)
        for parameter in operation.get("parameters", []):
            if parameter["in"] == "path" and parameter["name"] == "public_id":
                parameter["schema"] = {"type": "string", "pattern": IDS[path.split("/")[2]]}
            if parameter["in"] == "query" and parameter["name"] in PARAMETERS:
                parameter["schema"] = PARAMETERS[parameter["name"]]
                parameter["description"] = DESCRIPTIONS[parameter["name"]]
            if parameter["in"] == "query" and parameter["name"] in TEXT_FILTERS:
                longest = TEXT_FILTERS[parameter["name"]]
                text = {"type": "string", "minLength": 1, "maxLength": longest, "pattern": STRING}
                parameter["schema"] = text
        body = operation.get("requestBody", {})
        for media in body.get("content", {}).values():
            name = media.get("schema", {}).get("$ref", "").rpartition("/")[2]
            if _needs_a_field(components.get(name, {})):
                body["required"] = True
    for component in components.values():
        _add_patterns(component.get("properties", {}))
    return result


def _operations(result: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            if method in METHODS:
                yield path, operation


def _summarize(operation: dict[str, Any]) -> None:
    """Make the first sentence of the description the summary."""
    text = operation.get("description", "")
    first, _, rest = text.partition("\n")
    sentence, stop, more = first.partition(". ")
    operation.setdefault("summary", sentence.strip().removesuffix("."))
    rest = (more + "\n" + rest).strip() if stop else rest.strip()
    operation["description"] = rest or first


def _needs_a_field(component: dict[str, Any]) -> bool:
    return bool(component.get("required")) or any("required" in rule.get("else", {}) for rule in _rules(component))


def _rules(component: dict[str, Any]) -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = component.get("allOf", [])
    return [rule for rule in rules if "if" in rule]


def _add_patterns(properties: dict[str, dict[str, Any]]) -> None:
    currency = properties.get("currency", {})
    if currency.get("type") in ("string", ["string", "null"]) and "enum" not in currency:
        currency["pattern"] = CURRENCY
        currency.pop("minLength", None)
        currency.pop("maxLength", None)


def needs(one: str, *others: str) -> dict[str, Any]:
    """Return the rule that a field is only sent together with at least one of the others."""
    return {"if": {"required": [one]}, "then": {"anyOf": [{"required": [other]} for other in others]}}


def examples(**values: Mapping[str, Any]) -> Callable[[type[Any]], type[Any]]:
    """Return a decorator of a serializer that gives its requests these examples, by name. A test sends each of them."""
    shown = [OpenApiExample(name, value=value, request_only=True) for name, value in values.items()]
    return extend_schema_serializer(examples=shown)
