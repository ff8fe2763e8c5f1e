"""Read the event log: each finished event once, in its order for each customer, whatever commits late.

An id is given when an event is written, and its transaction commits later: a reader that only follows rising ids would
skip an event that commits after a higher id was read. So events are read in windows of transaction numbers. A window
ends at or before the oldest transaction that is still running (`pg_current_snapshot`), so everything in it is committed
or rolled back, and no event can appear in it later. Within a window events are read by rising ids.

Two events of one customer may be in the wrong order of transaction numbers: one transaction got its number first, and
then waited for the customer's wallet while the other wrote. A window ends before such an event as long as the other one
is not below the horizon.

A database that was restored from a dump has a server whose transaction numbers begin anew. The reader notices that its
window lies in the future. It reads what is left of the old numbers, then everything above the highest id so far.
"""

from collections.abc import Callable, Collection
from typing import NamedTuple

from django.db import transaction

from core.columns import run
from events.models import Event, EventReader

# Above every transaction number.
END = 2**63 - 1
# The most windows of one call, so that it ends also while events keep coming.
MOST_WINDOWS = 5

# Transactions that write no events of ours and may take hours: those of other databases of the server, and those of the
# server itself, such as autovacuum's. Only the server's own processes have no user.
FOREIGN = """
    SELECT backend_xid::text::bigint FROM pg_stat_activity
    WHERE (datname <> current_database() OR usesysid IS NULL) AND backend_xid IS NOT NULL
"""

# One statement, so that the numbers and the rows are of one snapshot. It is taken after FOREIGN is read: a foreign
# transaction that ends in between is not in the snapshot, and one that begins has a higher number than what is read.
HORIZON = """
    WITH snapshot AS MATERIALIZED (SELECT pg_current_snapshot() AS taken),
    running AS (
        SELECT min(number::text::bigint) AS oldest FROM snapshot, pg_snapshot_xip(taken) AS number
        WHERE mod(number::text::bigint, 4294967296) <> ALL (%s::bigint[])
    ),
    horizon AS MATERIALIZED (
        SELECT coalesce(oldest, following) AS oldest, following
        FROM running, (SELECT pg_snapshot_xmax(taken)::text::bigint AS following FROM snapshot) AS next
    )
    SELECT oldest, following, (
        SELECT min(early.transaction_number)
        FROM events_event AS early JOIN events_event AS late
            ON late.customer_id = early.customer_id AND late.id < early.id
        WHERE early.transaction_number >= %s AND early.transaction_number < oldest AND early.id > %s
            AND late.transaction_number >= oldest AND late.id > %s)
    FROM horizon
"""


# With `id + 0`, or the planner would look for the lowest id from the beginning of the log.
EXTENT = """
    SELECT min(id + 0), max(id + 0) FROM events_event
    WHERE transaction_number >= %s AND transaction_number < %s AND id > %s
"""


class Horizon(NamedTuple):
    """`oldest`: the oldest transaction that may still be running. `following`: the number of the next one.

    `out_of_order`: the first transaction with an event whose customer has an earlier one beyond `oldest`, if any.
    """

    oldest: int
    following: int
    out_of_order: int | None


def read(name: str, types: Collection[str], handle: Callable[[list[Event]], object], *, batch: int = 1000) -> int:
    """Call `handle(events)` with the finished events of these types that this reader has not had; return how many.

    Each batch is one transaction: what `handle` writes and how far the reader has come are committed together. Another
    process that reads under the same name at this moment has the rest; this call then returns early.
    """
    EventReader.objects.get_or_create(name=name)
    total = 0
    for _ in range(MOST_WINDOWS):
        if not _has_window(name):
            break
        while (count := _read_batch(name, types, handle, batch)) is not None:
            total += count
    return total


def _locked(name: str) -> EventReader | None:
    """Return the reader with its row locked; None if another process has it."""
    return EventReader.objects.select_for_update(skip_locked=True).filter(name=name).first()


def _has_window(name: str) -> bool:
    """Return whether there is a window to read. If the last one is done, open the next one that has events."""
    with transaction.atomic():
        reader = _locked(name)
        if reader is None or reader.last_id < reader.highest_id:
            return reader is not None
        has_events = _open_window(reader)
        reader.save()
    return has_events


def _read_batch(name: str, types: Collection[str], handle: Callable[[list[Event]], object], batch: int) -> int | None:
    """Handle one batch and return how many events it had; None if the window is done, or another process has it."""
    with transaction.atomic():
        reader = _locked(name)
        if reader is None or reader.last_id >= reader.highest_id:
            return None
        events = _events(reader, types, batch)
        # Fewer than a full batch: nothing of these types is left in the window.
        reader.last_id = events[-1].pk if len(events) == batch else reader.highest_id
        if events:
            handle(events)
        reader.save()
    return len(events)


def _open_window(reader: EventReader) -> bool:
    """Move the reader on to the next window that has events; return False if there is none yet."""
    start, floor = reader.window_end, reader.floor_id
    foreign = [number for (number,) in run(FOREIGN, [])]
    horizon = Horizon(*run(HORIZON, [foreign, start, floor, floor])[0])
    if start == END:
        # What another server wrote is done.
        reader.floor_id = floor = reader.highest_id
        start, end = 0, horizon.oldest
    elif start > horizon.following:
        end = END
    else:
        end = horizon.oldest if horizon.out_of_order is None else horizon.out_of_order
    reader.window_start, reader.window_end = start, max(start, end)
    first, last = run(EXTENT, [reader.window_start, reader.window_end, floor])[0]
    if first is None:
        return False
    reader.last_id, reader.highest_id = first - 1, max(reader.highest_id, last)
    return True


def _events(reader: EventReader, types: Collection[str], limit: int) -> list[Event]:
    """Return the next events of the window, by rising ids."""
    rows = Event.objects.filter(
        id__gt=max(reader.last_id, reader.floor_id),
        id__lte=reader.highest_id,
        transaction_number__gte=reader.window_start,
        transaction_number__lt=reader.window_end,
        type__in=types,
    )
    return list(rows.order_by("id")[:limit])
