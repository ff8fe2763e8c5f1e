"""A process that runs a command with its own clock and kills itself, or another process, at a given point of the run.

    python child.py --now 2026-04-05T12:00:00Z [--at after_charges --turn 2 [--victim PID]] bill_due --catch-up

The points are recognised by the SQL statements that are executed. No test lives here.
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

from core import clock  # noqa: E402
from tests.faults import town  # noqa: E402

# The points: a part of the statement, and whether to kill after it (True) or before it (False).
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
    """Kills `victim` when `point` is reached for the `turn`th time. The point "statement" is any statement."""

    def __init__(self, point: str, turn: int, victim: int) -> None:
        self.part, self.kills_after = POINTS.get(point, ("", False))
        self.left = turn
        self.victim = victim

    def watch(self) -> None:
        """Watch every statement and every commit."""
        connection.execute_wrappers.append(self.see)
        commit = DatabaseWrapper._commit  # type: ignore[attr-defined]
        DatabaseWrapper._commit = lambda this: self.go(commit, "COMMIT", this)  # type: ignore[attr-defined]

    def see(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        return self.go(execute, sql, sql, params, many, context)

    def go(self, execute: Callable[..., Any], sql: str, *arguments: Any) -> Any:
        is_reached = self.part in sql
        if is_reached and not self.kills_after:
            self.strike()
        result = execute(*arguments)
        if is_reached and self.kills_after:
            self.strike()
        return result

    def strike(self) -> None:
        self.left -= 1
        if self.left:
            return
        session = connection.connection.info.backend_pid
        os.kill(self.victim, signal.SIGKILL)
        if self.victim != os.getpid():
            # The server is killed; also kill its process for our session, before it can finish the statement.
            os.kill(session, signal.SIGKILL)


def main() -> None:
    """Set the clock, prepare the kill and run the command."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--now", type=datetime.fromisoformat)
    arguments.add_argument("--at", choices=[*POINTS, "statement"])
    arguments.add_argument("--turn", type=int, default=1)
    arguments.add_argument("--victim", type=int, default=os.getpid())
    arguments.add_argument("words", nargs=argparse.REMAINDER)
    options = arguments.parse_args()
    if options.now:
        # The machine's clock and the database's.
        timezone.now = clock.now = lambda: options.now
    if options.at:
        Death(options.at, options.turn, options.victim).watch()
    match options.words:
        case ["populate", count]:
            town.populate(int(count))
            town.settle_twins(options.now)
        case ["census"]:
            sys.stdout.write(json.dumps(town.census(), default=str))
        case [command, *words]:
            call_command(command, *words)


if __name__ == "__main__":
    main()
