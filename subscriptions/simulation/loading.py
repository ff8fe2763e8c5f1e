"""From a file or standard input to parsed JSON. Numbers with a point stay exact."""

import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn

from subscriptions.simulation.fields import BadScenario


def load(name: str) -> Any:
    """Return the JSON of the file `name`, `-` being standard input; raise BadScenario when there is none."""
    try:
        content = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        return json.loads(content.decode("utf-8-sig"), parse_float=Decimal, parse_constant=no_number)
    except OSError as problem:
        raise BadScenario(f"{name}: {problem.strerror}") from None
    except UnicodeDecodeError as problem:
        raise BadScenario(f"{name}: not UTF-8 at byte {problem.start}") from None
    except json.JSONDecodeError as problem:
        place = f"line {problem.lineno} column {problem.colno}"
        raise BadScenario(f"{name}: not JSON at {place}: {problem.msg}") from None
    except RecursionError:
        raise BadScenario(f"{name}: nested too deeply") from None


def no_number(word: str) -> NoReturn:
    """Refuse NaN and Infinity, which Python would take."""
    raise BadScenario(f"{word} is not a number")
