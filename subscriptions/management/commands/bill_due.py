"""`manage.py bill_due`: the billing run by hand."""

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from subscriptions import books


class Command(BaseCommand):
    help = "Settle every book that is due now. Safe to run at any time and any number of times at once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the result as JSON")
        parser.add_argument(
            "--catch-up", action="store_true", help="also settle books overdue for longer than BILLING_MAX_CATCH_UP"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        run = books.run_due(now=timezone.now(), catch_up=options["catch_up"])
        if options["json"]:
            self.stdout.write(json.dumps(asdict(run)))
            return
        self.stdout.write(f"books settled {run.books} · charges written {run.charges} · parked {run.parked}")
        if run.held_back:
            self.stdout.write(f"{run.held_back} books are overdue for too long: look first, then bill_due --catch-up")
        self.stdout.write("Next: manage.py check_ledger")
