"""Additions to the OpenAPI document: each path once, Idempotency-Key, and the errors of every operation."""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

from core.api.fields import StringField, TextField
from core.api.idempotency import METHODS as KEYED_METHODS
from core.api.idempotency import Idempotent
from core.api.schema_details import IDEMPOTENCY_KEY, METHODS, STRING, STRING_NOT_BLANK, TEXT, TEXT_NOT_BLANK
from core.api.serializers import StrictSerializer

PROBLEM = {
    "type": "object",
    "description": "What went wrong (RFC 9457).",
    "required": ["type", "title", "status", "detail", "code", "errors", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "description": "A page about this code."},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string", "description": "What was sent and what is allowed."},
        "code": {"type": "string", "description": "Stable, for programs."},
        "request_id": {"type": "string", "description": "For support."},
        "missing": {"$ref": "#/components/schemas/Money", "description": "402: what the balance lacks."},
        "due": {"$ref": "#/components/schemas/Money", "description": "`amount_mismatch`: what is to be paid."},
        "refundable": {"$ref": "#/components/schemas/Money", "description": "`refund_refused`: what is left."},
        "plans": {"type": "array", "items": {"type": "string"}, "description": "`plan_not_found`: what is on sale."},
        "quote": {"$ref": "#/components/schemas/Quote", "description": "`quote_changed`: the new one."},
        "state": {"type": "string", "description": "The state of the payment, subscription or adjustment."},
        "payment_id": {"type": "string", "description": "The payment that there is already, or that could not start."},
        "reason": {"type": "string", "description": "`method_not_usable`: why."},
        "words": {"type": "string", "description": "`consent_words_required`: what to show and to send back."},
        "version": {"type": "integer", "description": "`consent_words_required`: the version of the words."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["param", "code", "detail"],
                "properties": {
                    "param": {
                        "type": ["string", "null"],
                        "description": "Path in the body, for example items.0.amount.",
                    },
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}
DESCRIPTIONS = {
    "400": "The request has errors.",
    "401": "Not logged in.",
    "402": "Not enough money in the wallet.",
    "403": "Not allowed.",
    "404": "Not found, or not yours.",
    "405": "Method not allowed.",
    "406": "The API answers in JSON only.",
    "409": "The current state does not allow it.",
    "413": "Request body too large.",
    "414": "The address is too long.",
    "415": "The API reads JSON only.",
    "422": "The Idempotency-Key was used for another request.",
    "429": "Too many requests; see Retry-After.",
    "431": "The headers are too large.",
    "503": "The service is busy; see Retry-After.",
}
# For the `responses` of a view that may raise these errors.
INSUFFICIENT_FUNDS = {(402, "application/problem+json"): {"$ref": "#/components/schemas/Problem"}}
NOT_FOUND = {(404, "application/problem+json"): {"$ref": "#/components/schemas/Problem"}}


class DescribedSchema(AutoSchema):
    """The schema of a view, with the parameters that its base classes read."""

    def get_override_parameters(self) -> list[Any]:
        """Add the Idempotency-Key header to idempotent views."""
        view: Any = self.view
        is_idempotent = self.method in KEYED_METHODS and isinstance(view, Idempotent)
        keys = [_idempotency_key(required=view.is_key_required and self.method == "POST")] if is_idempotent else []
        return [*super().get_override_parameters(), *keys]

    def _map_basic_serializer(self, serializer: Any, direction: str) -> Any:
        """Say which characters a text has, that unknown fields are refused, and which fields go together.

        The last is `schema_rules` of the serializer.
        """
        schema = super()._map_basic_serializer(serializer, direction)  # type: ignore[no-untyped-call]
        if direction == "request" and isinstance(serializer, StrictSerializer):
            schema["additionalProperties"] = False
            for name, described in schema.get("properties", {}).items():
                field = serializer.fields[name]
                if isinstance(field, StringField) and "format" not in described:
                    described.setdefault("pattern", pattern(field))
            if rules := serializer.schema_rules:
                schema["allOf"] = list(rules)
        return schema


def each_path_once(endpoints: list[tuple[str, str, str, Any]]) -> list[tuple[str, str, str, Any]]:
    """Leave out /api/v1/x where /api/x exists: both are the same view."""
    paths = {path for path, *_rest in endpoints}
    return [item for item in endpoints if item[0].replace("/api/v1/", "/api/") not in paths - {item[0]}]


def document_problems(result: dict[str, Any], **_more: Any) -> dict[str, Any]:
    """Add the error responses to every operation."""
    result.setdefault("components", {}).setdefault("schemas", {})["Problem"] = PROBLEM
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            if method in METHODS:
                for status in _statuses(path, method, operation):
                    operation["responses"].setdefault(status, _response(status))
    return result


def pattern(field: StringField) -> str:
    """Return the pattern of what a field takes; private and unassigned characters aside."""
    may_be_spaces = field.allow_blank or not field.trim_whitespace
    if not isinstance(field, TextField):
        return STRING if may_be_spaces else STRING_NOT_BLANK
    return TEXT if may_be_spaces else TEXT_NOT_BLANK


def _idempotency_key(*, required: bool) -> OpenApiParameter:
    return OpenApiParameter(
        "Idempotency-Key",
        IDEMPOTENCY_KEY,
        OpenApiParameter.HEADER,
        required=required,
        description="1 to 255 printable ASCII characters, no comma. A repeated request gets the first one's answer.",
    )


def _statuses(path: str, method: str, operation: dict[str, Any]) -> list[str]:
    statuses = ["400", "405", "406", "414", "429", "431", "503"]
    if "auth" in operation.get("tags", []):
        statuses.append("401")
    if any(scheme for scheme in operation.get("security", [])):
        statuses += ["401", "403"]
    if "{" in path or ("401" in statuses and method != "get"):
        statuses.append("404")
    if method != "get":
        statuses += ["409", "413", "415", "422"]
    return sorted(set(statuses))


def _response(status: str) -> dict[str, Any]:
    response: dict[str, Any] = {
        "description": DESCRIPTIONS[status],
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if status in ("429", "503"):
        response["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}}
    return response
