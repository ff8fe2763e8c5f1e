"""`manage.py bill_due`: run billing by hand."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from core import clock
from ledger.money import Money
from subscriptions import billing_run
from subscriptions.billing_run import Run


class Command(BaseCommand):
    help = "Settle every book that is due now. Safe to run at any time and any number of times at once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the result as JSON")
        parser.add_argument(
            "--catch-up", action="store_true", help="also settle books overdue for longer than BILLING_MAX_CATCH_UP"
        )
        parser.add_argument("--dry-run", action="store_true", help="only print the movements that a run would make")

    def handle(self, *args: Any, **options: Any) -> None:
        # The database's clock, as in the task: that of this machine may be wrong.
        now, catch_up = clock.now(), options["catch_up"]
        if options["dry_run"]:
            movements = dry_run(now, catch_up=catch_up)
            output: Iterable[str] = map(json.dumps, movements) if options["json"] else dry_run_lines(movements)
        else:
            run = billing_run.run_due(now=now, catch_up=catch_up)
            output = [json.dumps(asdict(run))] if options["json"] else run_lines(run)
        for line in output:
            self.stdout.write(line)


def run_lines(run: Run) -> Iterator[str]:
    """Yield the result of a run and the next steps as text."""
    yield f"books settled {run.books} · charges written {run.charges} · parked {run.parked}"
    if run.held_back:
        yield f"Books overdue for too long: {run.held_back}. Check first: bill_due --catch-up --dry-run"
        yield "Then: bill_due --catch-up"
    yield "Next: manage.py check_ledger"


def dry_run_lines(movements: Iterable[dict[str, str]]) -> Iterator[str]:
    """Yield the movements of a dry run as text."""
    lines = ("  ".join(movement.values()) for movement in movements)
    yield next(lines, "No money would move.")
    yield from lines


def dry_run(now: datetime, *, catch_up: bool) -> Iterator[dict[str, str]]:
    """Yield the movements that a run would make, book by book."""
    books = billing_run.due(now, catch_up=catch_up).select_related("wallet__owner")
    for book in books.iterator(chunk_size=500):
        for line in billing_run.dry_run(book.wallet_id, now):
            yield {
                "at": line.at.isoformat().replace("+00:00", "Z"),
                "customer": str(book.wallet.owner),
                "amount": str(Money(line.amount, line.currency)),
                "reason": line.reason,
                "subscription": line.subscription,
            }
