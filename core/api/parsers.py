"""Parse request bodies: any bytes become one JSON value that is safe to store, or a 400.

Refused before parsing: encodings other than UTF-8, bodies that are too large or too deeply nested. Refused while
parsing: repeated keys, NaN and Infinity, very long numbers. Refused after parsing: NUL and lone surrogates, which
PostgreSQL cannot store. Numbers with a decimal point become Decimal, so that 1342.10 stays exact.
"""

import json
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import IO, Any, NoReturn

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.parsers import JSONParser

from core.normalization import UNSTORABLE, repeated_key

MAX_DEPTH = 32
MAX_DIGITS = 40
# Matches a whole string at once, so that brackets inside strings do not count.
TOKENS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[{]|[\]}]', re.DOTALL)


class SafeJSONParser(JSONParser):
    """The API's only parser."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Return the parsed body; raise ParseError (400), RequestDataTooBig (413) or UnsupportedMediaType (415)."""
        charset = re.search(r"charset\s*=\s*\"?([^\s;\"]+)", media_type or "", re.IGNORECASE)
        if charset and charset[1].lower() not in ("utf-8", "utf8"):
            raise UnsupportedMediaType(media_type or "", _("Use UTF-8. You sent charset %s.") % charset[1][:40])
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise RequestDataTooBig
        return loads(body)


def loads(body: bytes) -> Any:
    """Return the JSON value in `body`; raise ParseError, which says what is wrong and where."""
    if _depth(body) > MAX_DEPTH:
        raise ParseError(_("The body is nested more than %d levels deep.") % MAX_DEPTH)
    try:
        text = body.decode("utf-8")
        value = json.loads(
            text, object_pairs_hook=_pairs, parse_float=_decimal, parse_int=_integer, parse_constant=_constant
        )
    except UnicodeDecodeError as error:
        raise ParseError(_("The body is not UTF-8: byte %d.") % error.start) from None
    except json.JSONDecodeError as error:
        place = {"line": error.lineno, "column": error.colno, "message": error.msg}
        raise ParseError(_("The body is not JSON: line %(line)d column %(column)d: %(message)s.") % place) from None
    except RecursionError:
        raise ParseError(_("The body is nested too deeply.")) from None
    _refuse_unstorable(value)
    return value


def _depth(body: bytes) -> int:
    """Return the deepest level of nested brackets."""
    depth = deepest = 0
    for token in TOKENS.finditer(body):
        match body[token.start()]:
            case 0x7B | 0x5B:  # { [
                depth += 1
                deepest = max(deepest, depth)
            case 0x7D | 0x5D:  # } ]
                depth -= 1
    return deepest


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ParseError(_("The key %s is repeated.") % json.dumps(str(repeated_key(pairs))[:60]))
    return value


def _decimal(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:  # the exponent is out of Decimal's range
        _too_long(text)
    if len(text) > MAX_DIGITS or (number and abs(number.adjusted()) > MAX_DIGITS):
        _too_long(text)
    return number


def _integer(text: str) -> int:
    if len(text) > MAX_DIGITS:
        _too_long(text)
    return int(text)


def _too_long(text: str) -> NoReturn:
    raise ParseError(
        _("The number %(start)s... has more than %(most)d digits.") % {"start": text[:20], "most": MAX_DIGITS}
    )


def _constant(text: str) -> NoReturn:
    raise ParseError(_("%s is not a JSON number.") % text)


def _refuse_unstorable(value: Any) -> None:
    """Raise ParseError for a key or value that cannot be stored. MAX_DEPTH bounds the recursion."""
    match value:
        case str():
            if UNSTORABLE.search(value):
                raise ParseError(_("A string contains a NUL or half of a surrogate pair: %s") % json.dumps(value[:60]))
        case dict():
            for name, inner in value.items():
                _refuse_unstorable(name)
                _refuse_unstorable(inner)
        case list():
            for inner in value:
                _refuse_unstorable(inner)
