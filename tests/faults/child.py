"""A process of the product with its own clock, which dies, or ends another, at a named point of a billing run.

    python child.py --now 2026-04-05T12:00:00Z [--at after_charges --turn 2 [--victim PID]] bill_due --catch-up

The product knows nothing of it: the points are statements that go by. No test lives here.
"""

import argparse
import json
import os
import signal
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django  # noqa: E402

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.db.backends.postgresql.base import DatabaseWrapper  # noqa: E402
from django.utils import timezone  # noqa: E402

from tests.faults import town  # noqa: E402

# Where a batch can be cut: a piece of the statement, and whether it was carried out by then.
POINTS = {
    "claimed": ("SKIP LOCKED", True),
    "after_the_ledger": ("INSERT INTO ledger_transaction", True),
    "after_charges": ("INSERT INTO subscriptions_charge", True),
    "after_events": ("INSERT INTO events_event", True),
    "after_books": ("INSERT INTO subscriptions_billingclock", True),
    "before_commit": ("COMMIT", False),
    "after_commit": ("COMMIT", True),
}


class Death:
    """Strikes when `point` comes by for the `turn`th time; "statement" is any statement at all."""

    def __init__(self, point: str, turn: int, victim: int) -> None:
        self.piece, self.done = POINTS.get(point, ("", False))
        self.left = turn
        self.victim = victim

    def watch(self) -> None:
        """Look at every statement and every commit."""
        connection.execute_wrappers.append(self.see)
        commit = DatabaseWrapper._commit  # type: ignore[attr-defined]
        DatabaseWrapper._commit = lambda this: self.go(commit, "COMMIT", this)  # type: ignore[attr-defined]

    def see(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        return self.go(execute, sql, sql, params, many, context)

    def go(self, execute: Callable[..., Any], sql: str, *arguments: Any) -> Any:
        comes = self.piece in sql
        if comes and not self.done:
            self.strike()
        result = execute(*arguments)
        if comes and self.done:
            self.strike()
        return result

    def strike(self) -> None:
        self.left -= 1
        if self.left:
            return
        session = connection.connection.info.backend_pid
        os.kill(self.victim, signal.SIGKILL)
        if self.victim != os.getpid():
            # The server is dead; so is the process of it that serves us, before it can finish what it was told.
            os.kill(session, signal.SIGKILL)


def main() -> None:
    """Set the clock, lay the snare, do the work."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--now", type=datetime.fromisoformat)
    arguments.add_argument("--at", choices=[*POINTS, "statement"])
    arguments.add_argument("--turn", type=int, default=1)
    arguments.add_argument("--victim", type=int, default=os.getpid())
    arguments.add_argument("words", nargs=argparse.REMAINDER)
    asked = arguments.parse_args()
    if asked.now:
        timezone.now = lambda: asked.now
    if asked.at:
        Death(asked.at, asked.turn, asked.victim).watch()
    match asked.words:
        case ["found", count]:
            town.found(int(count))
            town.settle_twins(asked.now)
        case ["census"]:
            sys.stdout.write(json.dumps(town.census(), default=str))
        case [command, *words]:
            call_command(command, *words)


if __name__ == "__main__":
    main()
