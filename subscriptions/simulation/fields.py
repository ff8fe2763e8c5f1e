"""What single fields of a scenario take, and the words of the complaint about anything else."""

import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from reprlib import Repr
from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator, Field, GetPydanticSchema, StringConstraints, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError, core_schema
from typing_extensions import TypeAliasType

from core.normalization import UNSTORABLE
from subscriptions.engine.calendar import to_micros

T = TypeVar("T")

YEARS = range(1970, 3000)

# A line on a terminal must not hold these: they break it, move the cursor, or cannot be written at all.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

_repr = Repr()

_repr.maxstring = _repr.maxother = 80

# By pydantic's type of error; all others mean that an object is needed.
_COMPLAINTS = {
    "not_allowed": "{complaint}",
    "unlike": "{found} is not {words}",
    "missing": "is missing",
    "bool_type": "{found} is not true or false",
    "int_type": "{found} is not a whole number",
    "greater_than_equal": "{found} is too small. The minimum is {ge}",
    "less_than_equal": "{found} is too large. The maximum is {le}",
    "string_type": "{found} is not a text",
    "string_too_short": "{found} is too short. The minimum is {min_length} character",
    "string_too_long": "{found} is too long. The maximum is {max_length} characters",
    "literal_error": "{found} is not one of {allowed}",
    "list_type": "{found} is not a list",
    "too_short": "{found} has {actual_length} entries. The minimum is {min_length}",
    "too_long": "{found} has {actual_length} entries. The maximum is {max_length}",
    "union_tag_not_found": "is missing",
    "union_tag_invalid": "{found} is not one of {allowed}",
}


class BadScenario(ValueError):
    """The scenario cannot be played. The message names the event and the field, and what is allowed there."""

    def __init__(self, complaint: str) -> None:
        super().__init__(on_one_line(complaint))


def parse(definition: TypeAdapter[T], value: Any, known: object) -> T:
    """Read `value` as the definition says; raise BadScenario. `known` is for the checks of `then`."""
    try:
        return definition.validate_python(value, context=known)
    except ValidationError as problem:
        raise BadScenario(first_complaint(problem)) from None


def first_complaint(problem: ValidationError) -> str:
    """Say the first thing that pydantic found wrong, and where: `events[3].amount: ...`."""
    error = problem.errors(include_url=False)[0]
    kind, place, found, context = error["type"], list(error["loc"]), error["input"], error.get("ctx", {})
    if place[:1] in (["plans"], ["events"]):
        # After the index pydantic names the kind of plan or event, which is no part of the file.
        del place[2:3]
    if kind.startswith("union_tag") and isinstance(found, dict):
        context["field"], found = "do", found.get("do")
    place += [context["field"]] if context.get("field") else []
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place).lstrip(".")
    allowed = str(context.get("expected", context.get("expected_tags"))).replace("'", "").replace(" or ", ", ")
    complaint = _COMPLAINTS.get(kind, "{found} is not an object").format(**context, found=shown(found), allowed=allowed)
    return f"{path or 'scenario'}: {complaint}"


def not_allowed(complaint: str, field: str = "") -> PydanticCustomError:
    """Return the error for a check to raise; `field` is the one meant when the check is of an object."""
    context = {"complaint": on_one_line(complaint), "field": shown(field)[1:-1]}
    return PydanticCustomError("not_allowed", "{complaint}", context)


def on_one_line(text: str) -> str:
    """Return the text with its control characters and halves of surrogate pairs written out."""
    return _UNPRINTABLE.sub(lambda found: ascii(found[0])[1:-1], text)


def shown(value: Any) -> str:
    """Write a value of the file into a complaint: long and deep ones are cut."""
    return _repr.repr(value)


# Three metadata for Annotated, beside pydantic's own.


def read_as(source: Any) -> GetPydanticSchema:
    """Read and publish the field as `source`, not as its Python type."""
    return GetPydanticSchema(lambda _, handler: handler.generate_schema(source))


def then(check: Callable[[Any, Any], Any]) -> GetPydanticSchema:
    """Make the value what `check(known, value)` returns, `known` being what the file has said so far."""
    return GetPydanticSchema(
        lambda source, handler: core_schema.with_info_after_validator_function(
            lambda value, info: check(info.context, value), handler(source)
        )
    )


def unless(words: str) -> GetPydanticSchema:
    """Complain with `is not <words>` about what does not fit so far."""
    return GetPydanticSchema(
        lambda source, handler: core_schema.custom_error_schema(
            handler(source), "unlike", custom_error_message="{words}", custom_error_context={"words": words}
        )
    )


def storable(value: Any) -> Any:
    """Refuse a text with what no table keeps and no terminal writes."""
    if isinstance(value, str) and (found := UNSTORABLE.search(value)):
        raise not_allowed(f"{found[0]!a} is not allowed in a text: a NUL or half of a surrogate pair")
    return value


def parse_instant(_: Any, text: str) -> int:
    """Return the instant as microseconds since 1970."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as problem:
        raise not_allowed(f"{text!r} is not an instant: {problem}") from None
    if moment.year not in YEARS:
        raise not_allowed(f"{text!r} is not within the years {YEARS[0]} to {YEARS[-1]}")
    return to_micros(moment)


def number_as_text(value: Any) -> Any:
    """Write a number out, exactly; refuse a float, which is not exact."""
    if type(value) is float:
        raise not_allowed(f"{shown(value)} is a binary fraction; write the amount as a text")
    return str(value) if type(value) in (int, Decimal) else value


Text = Annotated[str, BeforeValidator(storable)]

Name = TypeAliasType("Name", Annotated[str, StringConstraints(min_length=1, max_length=100), BeforeValidator(storable)])

_InstantText = Annotated[
    str,
    StringConstraints(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})$"
    ),
    unless("an instant with its zone, such as 2026-01-31T10:00:00Z"),
    Field(description="RFC 3339 with its zone, at most microseconds."),
]

# Microseconds since 1970.
Instant = TypeAliasType("Instant", Annotated[int, read_as(_InstantText), then(parse_instant)])

_Digits = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,15}(\.[0-9]{1,6})?$")]

AmountText = Annotated[
    _Digits,
    unless('an amount such as "99.00": only digits and a point'),
    BeforeValidator(number_as_text, json_schema_input_type=_Digits | float),
    Field(description="Major units with no more decimals than the currency has; better a text than a number."),
]
