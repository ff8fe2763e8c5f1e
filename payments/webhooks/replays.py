"""Replays: staff have stored webhook events processed again. Nothing is credited twice: an event is only a hint."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from payments.models import WebhookEvent
from payments.webhooks import process

Status = WebhookEvent.Status


@dataclass(slots=True)
class Replay:
    """A replay while it runs, and its result."""

    # How many events were to be processed, and the events as they are after it, in order.
    total: int
    events: list[WebhookEvent] = field(default_factory=list)
    # How many another worker was processing at that moment.
    missed: int = 0

    @property
    def parked(self) -> list[WebhookEvent]:
        """The events that could not be processed."""
        return [event for event in self.events if event.status == Status.PARKED]


# Called after each event, for a display of progress.
Watch = Callable[[Replay], None]


def chosen(
    *, event_ids: Iterable[str] = (), gateway: str | None = None, status: str | None = None,
    since: datetime | None = None, until: datetime | None = None,
) -> QuerySet[WebhookEvent]:  # fmt: skip
    """Return the events that match all that is given, the oldest first. They were received in [since, until)."""
    wanted = {
        "event_id__in": list(event_ids), "gateway": gateway, "status": status, "received_at__gte": since,
        "received_at__lt": until,
    }  # fmt: skip
    given: dict[str, Any] = {name: value for name, value in wanted.items() if value}
    return WebhookEvent.objects.filter(**given).order_by("received_at", "id")


def replay(event_pks: Iterable[int], *, now: datetime, watch: Watch | None = None) -> Replay:
    """Process the events again, one after the other, whatever their status, and return the result.

    One event that fails stops no other. An interruption leaves the rest as it is. Call it with no transaction open.
    """
    pks, started = list(event_pks), time.monotonic()
    run = Replay(len(pks))
    for pk in pks:
        at = now + timedelta(seconds=int(time.monotonic() - started))
        process.replay([pk], now=at)
        event = process.process(pk, now=at)
        if event is None:
            run.missed += 1
        else:
            run.events.append(event)
        if watch:
            watch(run)
    return run
