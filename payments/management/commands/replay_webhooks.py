"""`manage.py replay_webhooks`: process stored webhook events again.

Exit code 0: all were processed, 1: some are parked or were missed, 2: the options are wrong.
"""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console

from core import clock
from payments.gateways import registry
from payments.gateways.registry import UnknownGateway
from payments.models import WebhookEvent
from payments.webhooks import replays
from payments.webhooks.replays import Replay

LEFT, WRONG = 1, 2


class Command(BaseCommand):
    help = (
        "Process stored webhook events again, the oldest first. Nothing is credited twice. Name the events by one or "
        "more options; an event must match all of them. Exit code 1 when an event could not be processed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--event", action="append", default=[], metavar="ID", help="this event; may be repeated")
        parser.add_argument("--gateway", metavar="NAME", help="events of this gateway")
        parser.add_argument("--status", choices=WebhookEvent.Status.values, help="events with this status")
        parser.add_argument("--since", type=instant, metavar="TIME", help="received at this time (UTC) or later")
        parser.add_argument("--until", type=instant, metavar="TIME", help="received before this time (UTC)")
        parser.add_argument("--dry-run", action="store_true", help="only list the events, and process none")
        parser.add_argument("--json", action="store_true", help="print the result as one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        events = list(chosen(options))
        if options["dry_run"]:
            run = Replay(len(events), events)
        else:
            with progress(cast(IO[str], self.stderr._out)) as watch:
                run = replays.replay([event.pk for event in events], now=clock.now(), watch=watch)
        code = 0 if options["dry_run"] else exit_code(run)
        as_text = lines(run, is_dry_run=options["dry_run"])
        output = [json.dumps(as_json(run, code), indent=2)] if options["json"] else as_text
        for line in output:
            self.stdout.write(line)
        if code:
            sys.exit(code)


def chosen(options: dict[str, Any]) -> Any:
    """Return the events that the options name; raise CommandError if they name none or nothing known."""
    terms = {name: options[name] for name in ("gateway", "status", "since", "until")}
    if not options["event"] and not any(terms.values()):
        raise CommandError("Say which events: --event, --gateway, --status, --since or --until.", returncode=WRONG)
    if terms["since"] and terms["until"] and terms["since"] >= terms["until"]:
        raise CommandError("--since must be before --until.", returncode=WRONG)
    try:
        if terms["gateway"]:
            registry.can(terms["gateway"])
    except UnknownGateway as error:
        raise CommandError(str(error), returncode=WRONG) from error
    found = replays.chosen(event_ids=options["event"], **terms)
    if missing := sorted(set(options["event"]) - set(found.values_list("event_id", flat=True))):
        raise CommandError(f"No stored event matches: {', '.join(missing)}.", returncode=WRONG)
    return found


def instant(text: str) -> datetime:
    """Return a time in ISO 8601, by default in UTC; a date is its midnight. Raises ValueError."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def exit_code(run: Replay) -> int:
    """Return 1 if an event is parked or was missed, else 0."""
    return LEFT if run.parked or run.missed else 0


@contextmanager
def progress(stream: IO[str]) -> Iterator[Callable[[Replay], None] | None]:
    """Show on a terminal how far the replay is; yields what to call with it, None if it is no terminal."""
    console = Console(file=stream)
    if not console.is_terminal:
        yield None
        return
    with console.status("Processing") as status:
        yield lambda run: status.update(
            f"Processing: {len(run.events) + run.missed} of {run.total} events · {len(run.parked)} parked"
        )


def lines(run: Replay, *, is_dry_run: bool) -> Iterator[str]:
    """Yield the result as text. The last line says what to do next."""
    for event in run.events:
        name = f"{event.gateway} {event.event_id} {event.type}"
        yield f"{event.status:9}  {name}, received {event.received_at:%Y-%m-%d %H:%M:%S} UTC. {event.outcome}".strip()
    if is_dry_run:
        yield f"{run.total} events would be processed. Run it again without --dry-run."
        return
    yield f"{len(run.events)} of {run.total} events processed again · {len(run.parked)} parked · {run.missed} missed"
    if exit_code(run):
        yield "What to do: docs/runbook.md, 'Webhook events'. Parked events are tried again by themselves for 72 hours."
    else:
        yield "Nothing is left to do."


def as_json(run: Replay, code: int) -> dict[str, Any]:
    """Return the whole result as one object."""
    return {
        "exit_code": code, "total": run.total, "parked": len(run.parked), "missed": run.missed,
        "events": [
            {
                "gateway": event.gateway, "event": event.event_id, "type": event.type, "status": event.status,
                "outcome": event.outcome, "received_at": event.received_at.isoformat(),
            }
            for event in run.events
        ],
    }  # fmt: skip
