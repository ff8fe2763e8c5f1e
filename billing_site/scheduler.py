"""The scheduler of beat: django-celery-beat's, which a signal stops in order at any moment; it shows that it lives."""

import math
import os
import signal
import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from types import FrameType
from typing import Any, NoReturn

from celery.beat import Service
from celery.signals import beat_init
from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError, InterfaceError, close_old_connections, connection
from django.db.models import QuerySet
from django_celery_beat.models import PeriodicTask
from django_celery_beat.schedulers import DatabaseScheduler, ModelEntry

from billing_site import outages, probe
from core.retry import is_unreachable

# Seconds.
TRY_AGAIN_AFTER = 5.0
# Longer than any interval of the schedule.
LONG_AGO = timedelta(days=366)

# Seconds between two heartbeats in the database, and after which the scheduler counts as dead there.
BEATS_EVERY = 10.0
SILENT_FOR = 60.0
HEARTBEAT = """
    INSERT INTO core_heartbeat (name, at) VALUES ('beat', clock_timestamp())
    ON CONFLICT (name) DO UPDATE SET at = excluded.at
"""
# Which processes they were, by an id for each start. After a day nobody asks.
SEEN = """
    INSERT INTO core_schedulerprocess (id, place, started_at, seen_at)
    VALUES (%s, %s, clock_timestamp(), clock_timestamp())
    ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at
"""
FORGET = "DELETE FROM core_schedulerprocess WHERE seen_at < clock_timestamp() - interval '1 day'"


class Entry(ModelEntry):
    """A task of the schedule. One that has never run is due at once; a last run in the future counts as one just now.

    The library counts from the start of beat: a daily task of a beat that is started daily would never run. And a clock
    that was ahead for a while would stop its tasks for as long as it was ahead.
    """

    def __init__(self, model: PeriodicTask, app: Any = None) -> None:
        now = datetime.now(UTC)
        model.last_run_at = min(model.last_run_at, now) if model.last_run_at else now - LONG_AGO
        super().__init__(model, app=app)


class Scheduler(DatabaseScheduler):
    """Reads the schedule from the database, and goes on with what it knows while the database is out of reach.

    A signal to stop waits until the schedule is written, so that it breaks none of those statements. Later ones end
    whatever is going on: see `stop`.
    """

    Entry = Entry
    # The schedule that was read last, set by the class above.
    _schedule: dict[str, Any] | None
    # When the schedule had changed last, as it was read, set by it too.
    _last_timestamp: datetime | None
    # The names of tasks whose last run is not yet written, set by it too.
    _dirty: set[str]
    # When the database may be asked again, on the monotonic clock.
    _try_at = 0.0
    # Whether the connection is in use at this moment.
    _is_asking = False
    # When the next heartbeat is written, on time.monotonic's clock.
    next_heartbeat = 0.0
    # When to read the schedule again because of tasks that the broker did not take, on the same clock.
    _resend_at = math.inf
    # Whether a signal to stop has come.
    _is_stopping = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.id = uuid.uuid4()
        self.place = f"{socket.gethostname()[:180]}, pid {os.getpid()}"
        super().__init__(*args, **kwargs)

    @property
    def schedule(self) -> dict[str, Any]:
        """Return the schedule, as it was read last while the database is out of reach."""
        try:
            found: dict[str, Any] = super().schedule
        except (DatabaseError, InterfaceError) as error:
            if self._schedule is None or not is_unreachable(error):
                raise
            self._note(error)
            found = self._schedule
        return found

    def schedule_changed(self) -> bool:
        """Return whether the schedule must be read again; no while the database is out of reach.

        It must be, too, some seconds after tasks could not be sent. In the database they are still due; here they wait
        for their next time, which for a nightly one is the next night.
        """
        if not self.is_reachable():
            return False
        before = self._last_timestamp
        try:
            with self._asking():
                self._last_timestamp = last = self.Changes.last_change()
        except (DatabaseError, InterfaceError) as error:
            # The library would write a traceback each time.
            self._note(error)
            return False
        if time.monotonic() > self._resend_at:
            self._resend_at = math.inf
            return True
        return bool(last and before and last > before)

    def enabled_models_qs(self) -> QuerySet[PeriodicTask]:
        """Return the tasks of the schedule: all that are switched on.

        The library leaves out tasks of other hours than the present ones, so that what a night has missed would wait.
        """
        tasks: QuerySet[PeriodicTask] = self.Model.objects.enabled()
        return tasks

    def all_as_schedule(self) -> dict[str, Any]:
        """Return the schedule as it stands in the database."""
        with self._asking():
            found: dict[str, Any] = super().all_as_schedule()
        return found

    def sync(self) -> None:
        """Write when tasks ran last; wait with it while the database is out of reach."""
        if self._dirty and self.is_reachable():
            try:
                with self._asking():
                    self._write()
            except (DatabaseError, InterfaceError) as error:
                # The library would write a traceback, and forget the run that it could not write.
                self._note(error)

    def _write(self) -> None:
        """Write the last runs that are not yet written. One of a task that was removed meanwhile is dropped."""
        for name in sorted(self._dirty):
            with suppress(KeyError, ObjectDoesNotExist):
                (self._schedule or {})[name].save()
            self._dirty.discard(name)

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Note that the connection is in use within the block."""
        self._is_asking = True
        try:
            yield
        finally:
            self._is_asking = False

    def is_reachable(self) -> bool:
        """Return whether the database answers. After a failure it is not asked for TRY_AGAIN_AFTER."""
        if time.monotonic() < self._try_at:
            return False
        try:
            with self._asking():
                close_old_connections()
                with connection.cursor() as cursor:
                    cursor.execute("SELECT 1")
        except (DatabaseError, InterfaceError) as error:
            self._note(error)
            return False
        outages.database.ended()
        return True

    def _note(self, error: DatabaseError | InterfaceError) -> None:
        outages.database.began(error)
        connection.close()
        self._try_at = time.monotonic() + TRY_AGAIN_AFTER

    def setup_schedule(self) -> None:
        """Write the entries of the settings to the database and read the schedule."""
        with postponed(signal.SIGTERM, signal.SIGINT):
            super().setup_schedule()

    def reserve(self, entry: ModelEntry) -> ModelEntry:
        """Return the entry as it is after this run, which is noted once it is sent."""
        return next(entry)

    def apply_async(self, entry: ModelEntry, *args: Any, **kwargs: Any) -> Any:
        """Send a task and note its run. One that the broker did not take, or that a signal interrupts, is due again."""
        sent = super().apply_async(entry, *args, **kwargs)
        if sent is None:
            self._resend_at = min(self._resend_at, time.monotonic() + TRY_AGAIN_AFTER)
        else:
            self._dirty.add(entry.name)
        return sent

    def stop(self, _number: int, _frame: FrameType | None) -> NoReturn:
        """Handle a signal to stop: leave what is going on; beat then calls `sync`, closes its connections and ends.

        The library's handler does that within the signal: it closes a connection that is just being read, whose error
        then takes the place of SystemExit, and beat goes on for ever. SystemExit gets lost too if the signal comes
        within a destructor; the next tick, at most five seconds later, raises it again.
        """
        self._is_stopping = True
        if self._is_asking:
            # The connection waits for an answer, so nothing more can be written through it. A task whose run is not
            # written is perhaps sent again after the next start.
            self._try_at = math.inf
        raise SystemExit

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Send the tasks that are due, and show that the scheduler lives. Called at least every five seconds."""
        if self._is_stopping:
            raise SystemExit
        probe.alive("beat")
        seconds: float = super().tick(*args, **kwargs)
        self.show_life()
        return seconds

    def show_life(self) -> None:
        """Write the heartbeat for /statusz, unless it is young. Without a database nothing is written."""
        if time.monotonic() < self.next_heartbeat or not self.is_reachable():
            return
        self.next_heartbeat = time.monotonic() + BEATS_EVERY
        try:
            with self._asking(), connection.cursor() as cursor:
                cursor.execute(HEARTBEAT)
                cursor.execute(SEEN, [self.id, self.place])
                cursor.execute(FORGET)
        except (DatabaseError, InterfaceError) as error:
            self._note(error)


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


@beat_init.connect
def stop_in_order(sender: Service, **_kwargs: Any) -> None:
    """Have signals to beat handled by our scheduler, which has just been made, not by the library."""
    scheduler = sender.scheduler
    if isinstance(scheduler, Scheduler):
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, scheduler.stop)
