"""Turn events into mails that wait to be sent: one for each customer, kind and cause."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from core.columns import columns, send_on
from core.ids import new_id
from events import reader
from events.mails import kinds
from events.mails.kinds import Kind
from events.models import Event, Mail

log = structlog.get_logger(__name__)

READER = "mails"
# A mail that could not be sent for so long is parked.
KEEP_TRYING = timedelta(days=3)

# Another event with the cause of a mail that waits or is parked is told in that mail. If the mail was sent, it was
# told. One that had nothing to tell waits again: now it may have.
NEW = columns("customer bigint, kind text, cause text, events text, name text, at timestamptz, park timestamptz")
INSERT = """
    INSERT INTO events_mail (public_id, customer_id, kind, cause, events, state, reason, is_urgent, address, subject,
        text, html, created_at, due_at, park_at, tries, resends)
    SELECT name, customer, kind, cause, events::bigint[], 'waiting', '', false, '', '', '', '', at, at, park, 0, 0
    FROM :rows AS mail ORDER BY place
    ON CONFLICT (customer_id, kind, cause) DO UPDATE SET events = events_mail.events || excluded.events,
        state = CASE events_mail.state WHEN 'skipped' THEN 'waiting' ELSE events_mail.state END,
        reason = CASE events_mail.state WHEN 'skipped' THEN '' ELSE events_mail.reason END,
        due_at = CASE events_mail.state WHEN 'skipped' THEN excluded.due_at ELSE events_mail.due_at END,
        park_at = CASE events_mail.state WHEN 'skipped' THEN excluded.park_at ELSE events_mail.park_at END
    WHERE events_mail.state IN ('waiting', 'parked', 'skipped')
"""


def run(*, now: datetime) -> int:
    """Make mails of all events that are committed and not read yet; return how many events a kind of mail answers."""
    answering = kinds.by_event()
    return reader.read(READER, answering, lambda events: _write(events, answering, now))


def _write(events: Sequence[Event], answering: dict[str, list[Kind]], now: datetime) -> None:
    """Insert the mails about these events, in their order, in one statement."""
    needed = _needed(events, answering)
    found: dict[tuple[int, str, str], list[int]] = {}
    for event in events:
        for kind in answering[event.type]:
            if event.pk not in needed[kind.name]:
                continue
            found.setdefault((event.customer_id, kind.name, _cause(kind, event)), []).append(event.pk)
    rows = [
        (customer, kind, cause, "{" + ",".join(map(str, ids)) + "}", new_id("mail"), now, now + KEEP_TRYING)
        for (customer, kind, cause), ids in found.items()
    ]
    if rows:
        send_on(INSERT, NEW, rows)


def _needed(events: Sequence[Event], answering: dict[str, list[Kind]]) -> dict[str, set[int]]:
    """Return by kind the ids of the events that need its mail. If the kind fails to choose, log it and take all."""
    needed = {}
    for kind in {kind.name: kind for several in answering.values() for kind in several}.values():
        own = [event for event in events if event.type in kind.events]
        try:
            needed[kind.name] = {event.pk for event in kind.choose(own)} if own else set()
        except Exception:
            log.exception("mail_choice_failed", kind=kind.name)
            needed[kind.name] = {event.pk for event in own}
    return needed


def _cause(kind: Kind, event: Event) -> str:
    """Return the cause of the mail. If the kind fails to, log the error and give the event a mail of its own."""
    try:
        return kind.cause(event)[: Mail._meta.get_field("cause").max_length]
    except Exception:
        log.exception("mail_cause_failed", kind=kind.name, event_id=event.pk)
        return kinds.each_event(event)
