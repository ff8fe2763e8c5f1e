"""From a file or standard input to parsed JSON: numbers stay exact, a key stands once, all else is a BadScenario."""

import json
import sys
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, NoReturn

from core.normalization import repeated_key
from subscriptions.simulation.fields import BadScenario, shown

# More digits than any field takes. Python itself reads no more than some thousand digits as an int.
MOST_DIGITS = 40


def load(name: str) -> Any:
    """Return the JSON of the file `name`, `-` being standard input; raise BadScenario when there is none."""
    try:
        content = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        return DECODER.decode(content.decode("utf-8-sig"))
    except OSError as problem:
        complaint = str(problem.strerror)
    except UnicodeDecodeError as problem:
        complaint = f"not UTF-8 at byte {problem.start}"
    except json.JSONDecodeError as problem:
        complaint = f"not JSON at line {problem.lineno} column {problem.colno}: {problem.msg}"
    except RecursionError:
        complaint = "nested too deeply"
    raise BadScenario(f"{name}: {complaint}")


def make_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a key that is given twice; Python would take the last."""
    made = dict(pairs)
    if len(made) != len(pairs):
        raise BadScenario(f"the key {shown(repeated_key(pairs))} is given twice in one object")
    return made


def parse_decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise BadScenario(f"{shown(text)} has an exponent beyond all bounds") from None


def parse_whole(text: str) -> int | Decimal:
    """Read a whole number. One too long for any field becomes a Decimal, so that the field can refuse it by name."""
    return int(text) if len(text) <= MOST_DIGITS else Decimal(text)


def refuse_constant(word: str) -> NoReturn:
    """Refuse NaN and Infinity, which Python would take."""
    raise BadScenario(f"{word} is not a number")


DECODER = json.JSONDecoder(
    object_pairs_hook=make_object, parse_float=parse_decimal, parse_int=parse_whole, parse_constant=refuse_constant
)
