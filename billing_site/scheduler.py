"""The scheduler of beat: django-celery-beat's, not interrupted while it writes its schedule; it shows that it lives."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from django.db import DatabaseError, connection
from django_celery_beat.schedulers import DatabaseScheduler

from billing_site import probe

# Seconds between two heartbeats in the database, and after which the scheduler counts as dead there.
BEATS_EVERY = 10.0
SILENT_FOR = 60.0
HEARTBEAT = """
    INSERT INTO core_heartbeat (name, at) VALUES ('beat', clock_timestamp())
    ON CONFLICT (name) DO UPDATE SET at = excluded.at
"""


class Scheduler(DatabaseScheduler):
    """Reads the schedule from the database.

    Beat's handler of SIGTERM closes the database connection. A signal during the start would therefore break the
    statement that runs, and be logged as an error, so it waits until the schedule is written.
    """

    # When the next heartbeat is written, on time.monotonic's clock.
    next_heartbeat = 0.0

    def setup_schedule(self) -> None:
        """Write the entries of the settings to the database and read the schedule."""
        with postponed(signal.SIGTERM, signal.SIGINT):
            super().setup_schedule()

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Send the tasks that are due, and show that the scheduler lives. Called at least every five seconds."""
        probe.alive("beat")
        seconds: float = super().tick(*args, **kwargs)
        self.show_life()
        return seconds

    def show_life(self) -> None:
        """Write the heartbeat for /statusz, unless it is young. Without a database nothing is written."""
        if time.monotonic() < self.next_heartbeat:
            return
        self.next_heartbeat = time.monotonic() + BEATS_EVERY
        try:
            with connection.cursor() as cursor:
                cursor.execute(HEARTBEAT)
        except DatabaseError:
            connection.close()


@contextmanager
def postponed(*numbers: signal.Signals) -> Iterator[None]:
    """Hold back these signals within the block, and handle them after it, each once. For the main thread."""
    came: set[int] = set()

    def note(number: int, _frame: FrameType | None) -> None:
        came.add(number)

    handlers = {number: signal.signal(number, note) for number in numbers}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for each in came:
            signal.raise_signal(each)
