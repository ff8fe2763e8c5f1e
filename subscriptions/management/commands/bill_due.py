"""`manage.py bill_due`: the billing run by hand."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

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
        parser.add_argument("--dry-run", action="store_true", help="only print what would move, and change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        now, catch_up = timezone.now(), options["catch_up"]
        if options["dry_run"]:
            lines = foreseen(now, catch_up=catch_up)
            said: Iterable[str] = map(json.dumps, lines) if options["json"] else foretold(lines)
        else:
            run = billing_run.run_due(now=now, catch_up=catch_up)
            said = [json.dumps(asdict(run))] if options["json"] else told(run)
        for line in said:
            self.stdout.write(line)


def told(run: Run) -> Iterator[str]:
    """Say what a run did, and what to do next."""
    yield f"books settled {run.books} · charges written {run.charges} · parked {run.parked}"
    if run.held_back:
        yield f"Books overdue for too long: {run.held_back}. Look first: bill_due --catch-up --dry-run"
        yield "Then: bill_due --catch-up"
    yield "Next: manage.py check_ledger"


def foretold(lines: Iterable[dict[str, str]]) -> Iterator[str]:
    """Say what would move, also if that is nothing."""
    told_of = ("  ".join(line.values()) for line in lines)
    yield next(told_of, "No money would move.")
    yield from told_of


def foreseen(now: datetime, *, catch_up: bool) -> Iterator[dict[str, str]]:
    """Yield what a run would move, book by book."""
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
