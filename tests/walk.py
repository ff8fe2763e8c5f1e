"""Follow a call through the modules of the product: which it enters, and how often it returns to one."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
OUTSIDE = ("tests", ".venv", "var")
# The database backend: Django calls it for each statement, whatever it is about. It limits how long one is waited for.
BACKEND = "core.database"


class Walk(NamedTuple):
    """The modules in the order in which they were entered, without repeats in a row."""

    stops: list[str]

    @property
    def rooms(self) -> set[str]:
        """The different modules."""
        return set(self.stops)

    @property
    def returns(self) -> int:
        """How often the call came back to a module that it had left."""
        return len(self.stops) - len(self.rooms)


def follow(act: Callable[[], Any]) -> Walk:
    """Run `act` and return its walk. Generated code and libraries do not count."""
    stops: list[str] = []

    def enter(frame: FrameType, event: str, argument: object) -> None:
        if event not in ("call", "return"):
            return
        here = frame if event == "call" else frame.f_back
        name = _module(here)
        if name and stops[-1:] != [name]:
            stops.append(name)

    sys.setprofile(enter)
    try:
        act()
    finally:
        sys.setprofile(None)
    return Walk(stops)


def _module(frame: FrameType | None) -> str:
    """Return the module of the product that a frame runs in; empty for any other code."""
    path = Path(frame.f_code.co_filename) if frame else Path()
    if not path.is_relative_to(ROOT):
        return ""
    inside = path.relative_to(ROOT)
    name = ".".join(inside.with_suffix("").parts)
    return "" if inside.parts[0] in OUTSIDE or name.startswith(BACKEND) else name
