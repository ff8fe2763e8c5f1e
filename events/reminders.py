"""Reminders of what is near, such as a renewal: a sweep records an event for each so many days before.

Nothing is remembered between two sweeps but the events: one that is late records only the tightest reminder that is
still true, and none once the instant is over.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection, transaction

from events import outbox

# The most reminders of one transaction, and of one sweep. The next sweep goes on.
BATCH, MOST = 1000, 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """One kind of reminders. The data of its events has `days` and, under the name `instant`, what they are before."""

    event: str
    instant: str
    # Serializes the sweeps of this kind, so that two at once record a reminder once. The number only has to be ours.
    lock: int
    # Returns (customer, subject, instant, days) of what is due at an instant and not recorded yet, at most so many.
    find: Callable[[datetime, int], Sequence[tuple[Any, ...]]]

    def run(self, *, now: datetime) -> int:
        """Record the reminders that are due at `now`, each batch in a transaction of its own; return how many."""
        total = 0
        while total < MOST:
            count = self._record_batch(now)
            total += count
            if count < BATCH:
                break
        return total

    def _record_batch(self, now: datetime) -> int:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [self.lock])
            facts = [
                outbox.Fact(
                    customer, self.event, subject, now, {"days": days, self.instant: at.astimezone(UTC).isoformat()}
                )
                for customer, subject, at, days in self.find(now, BATCH)
            ]
            outbox.record(facts)
        return len(facts)


def next_after(given: int, before: Iterable[int]) -> int:
    """Return the next reminder after the one `given` days (or hours) before, of these; zero after the last."""
    return max((each for each in before if each < given), default=0)
