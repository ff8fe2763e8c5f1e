"""The scheduler of beat: django-celery-beat's, which is not interrupted while it writes its schedule."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from django_celery_beat.schedulers import DatabaseScheduler

from billing_site import probe


class Scheduler(DatabaseScheduler):
    """Reads the schedule from the database.

    Beat's handler of SIGTERM closes the database connection. A signal during the start would therefore break the
    statement that runs, and be logged as an error, so it waits until the schedule is written.
    """

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Send one task that is due; return the seconds until the next turn, at most five."""
        probe.alive("beat")
        seconds: float = super().tick(*args, **kwargs)
        return seconds

    def setup_schedule(self) -> None:
        """Write the entries of the settings to the database and read the schedule."""
        with postponed(signal.SIGTERM, signal.SIGINT):
            super().setup_schedule()


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
