"""What can go wrong with a request to a fake gateway: the kinds of faults, planned ones, and damaged answers."""

import re
from dataclasses import dataclass, replace
from enum import StrEnum

from billing_site.local.fakes.server import Answer, Request


class Fault(StrEnum):
    """What goes wrong with a request. AFTER means that the request has its effect, and the answer is lost."""

    TIMEOUT_BEFORE = "timeout_before"
    TIMEOUT_AFTER = "timeout_after"
    RATE_LIMITED = "rate_limited"
    ERROR_BEFORE = "error_before"
    ERROR_AFTER = "error_after"
    # The effect is there, but the idempotency key remembers the error 500 and repeats it.
    ERROR_SAVED = "error_saved"
    # The connection is reset in the middle of the answer.
    RESET_AFTER = "reset_after"
    TRUNCATED = "truncated"
    HTML = "html"
    # The effect and the answer come late. Until then the idempotency key is in use.
    SLOW = "slow"
    # Every "status" in the answer is a word that nobody knows.
    UNKNOWN_STATUS = "unknown_status"


@dataclass
class PlannedFault:
    """A fault for the next `times` requests whose path contains `path` and whose method is `method`, if given."""

    kind: Fault
    path: str = ""
    method: str = ""
    times: int = 1
    # How long a time-out hangs and how long SLOW waits, at most.
    seconds: float = 30.0


def take(faults: list[PlannedFault], request: Request) -> PlannedFault:
    """Return the first planned fault for this request and count it; one with no `times` if there is none."""
    for planned in faults:
        if planned.path in request.path and planned.method in ("", request.method):
            planned.times -= 1
            if not planned.times:
                faults.remove(planned)
            return PlannedFault(planned.kind, seconds=planned.seconds)
    return PlannedFault(Fault.SLOW, times=0)


def damaged(answer: Answer, kind: Fault | None) -> Answer:
    """Return the answer as it arrives: cut, replaced or with odd words, if the fault is of that kind."""
    match kind:
        case Fault.RESET_AFTER:
            return replace(answer, is_cut=True)
        case Fault.TRUNCATED:
            return replace(answer, body=answer.body[: len(answer.body) // 2])
        case Fault.HTML:
            return Answer(body=b"<html><body>502 Bad Gateway</body></html>", content_type="text/html")
        case Fault.UNKNOWN_STATUS:
            odd = re.sub(rb'("\w*status": )"\w+"', rb'\1"something_new"', answer.body)
            return replace(answer, body=odd)
    return answer
