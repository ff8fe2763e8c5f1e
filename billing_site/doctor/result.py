"""What an examination says."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    OK = "ok"
    # It works, and somebody should look.
    WARNING = "warning"
    FAILS = "fails"
    # It cannot be examined.
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Result:
    """One line. `do` is what to do, empty if there is nothing to do."""

    part: str
    verdict: Verdict
    says: str
    do: str = ""


def ok(part: str, says: str) -> Result:
    return Result(part, Verdict.OK, says)


def warning(part: str, says: str, do: str) -> Result:
    return Result(part, Verdict.WARNING, says, do)


def fails(part: str, says: str, do: str) -> Result:
    return Result(part, Verdict.FAILS, says, do)


def unknown(part: str, says: str, do: str = "") -> Result:
    return Result(part, Verdict.UNKNOWN, says, do)
