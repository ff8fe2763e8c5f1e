"""A gateway whose calls end as a test says, to try the guard with."""

import time
from collections.abc import Iterator
from typing import Any

from payments.gateways.base import Gateway
from payments.gateways.guard import guarded
from payments.gateways.sessions import Snapshot, State

PAID = Snapshot(gateway_id="x_1", state=State.SUCCEEDED)


class Failing:
    name = "failing"

    def __init__(self) -> None:
        # What each call raises; nothing while it is None.
        self.error: Exception | None = None
        self.calls = 0
        # How long each call takes, in seconds.
        self.seconds = 0.0

    def fetch(self, gateway_id: str) -> Snapshot:
        self.calls += 1
        time.sleep(self.seconds)
        if self.error:
            raise self.error
        return PAID

    def list_payments(self, *, since: Any, until: Any) -> Iterator[Snapshot]:
        yield self.fetch("x_1")
        yield self.fetch("x_1")

    def parse_webhook(self, body: bytes, headers: Any, *, address: str) -> Any:
        return self.fetch("x_1")


def behind_its_guard() -> tuple[Failing, Gateway]:
    """Return a gateway, and the same behind its guard."""
    failing: Any = Failing()
    return failing, guarded(failing)
