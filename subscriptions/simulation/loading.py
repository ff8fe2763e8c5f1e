"""From a file or standard input to parsed JSON. Numbers stay exact, a key is there once, all else is a BadScenario."""

import json
import sys
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, NoReturn

from core.normalization import given_twice
from subscriptions.simulation.fields import BadScenario, shown

# Longer whole numbers than any field takes; Python itself reads no more than some thousand digits as an int.
MOST_DIGITS = 40


def load(name: str) -> Any:
    """Return the JSON of the file `name`, `-` being standard input; raise BadScenario when there is none."""
    try:
        content = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        text = content.decode("utf-8-sig")
        return json.loads(text, object_pairs_hook=once, parse_float=exact, parse_int=whole, parse_constant=no_number)
    except OSError as problem:
        raise BadScenario(f"{name}: {problem.strerror}") from None
    except UnicodeDecodeError as problem:
        raise BadScenario(f"{name}: not UTF-8 at byte {problem.start}") from None
    except json.JSONDecodeError as problem:
        place = f"line {problem.lineno} column {problem.colno}"
        raise BadScenario(f"{name}: not JSON at {place}: {problem.msg}") from None
    except RecursionError:
        raise BadScenario(f"{name}: nested too deeply") from None


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object of its pairs; refuse a key that is there twice, of which Python would take the last."""
    made = dict(pairs)
    if len(made) != len(pairs):
        raise BadScenario(f"the key {shown(given_twice(pairs))} is given twice in one object")
    return made


def exact(text: str) -> Decimal:
    """Read a number with a point or an exponent."""
    try:
        return Decimal(text)
    except InvalidOperation:
        raise BadScenario(f"{shown(text)} has an exponent beyond all bounds") from None


def whole(text: str) -> int | Decimal:
    """Read a whole number. One too long for any field becomes a Decimal, so that the field can refuse it by name."""
    return int(text) if len(text) <= MOST_DIGITS else Decimal(text)


def no_number(word: str) -> NoReturn:
    """Refuse NaN and Infinity, which Python would take."""
    raise BadScenario(f"{word} is not a number")
