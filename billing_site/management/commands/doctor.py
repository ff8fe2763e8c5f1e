"""`manage.py doctor`: examine this installation, and say what to do. Exit code 0: nothing fails, 1: something does."""

import json
import sys
from collections.abc import Iterable
from dataclasses import asdict
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandParser
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from billing_site.doctor import examination
from billing_site.doctor.result import Result, Verdict

COLOURS = {Verdict.OK: "green", Verdict.WARNING: "yellow", Verdict.FAILS: "bold red", Verdict.UNKNOWN: "blue"}


class Command(BaseCommand):
    help = "Examine settings, servers, mail, gateways and the schedule. Exit code 1 if something fails."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the results as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        results = examination.examine()
        code = examination.exit_code(results)
        if options["json"]:
            data = {"healthy": code == 0, "results": [asdict(result) for result in results]}
            self.stdout.write(json.dumps(data, indent=2))
        else:
            Console(file=cast(IO[str], self.stdout._out)).print(as_table(results))
        sys.exit(code) if code else None


def as_table(results: Iterable[Result]) -> Table:
    """Return a table with one row for each result."""
    table = Table("part", "", "says", "do")
    for result in results:
        colour = COLOURS[result.verdict]
        table.add_row(result.part, f"[{colour}]{result.verdict}[/]", escape(result.says), escape(result.do))
    return table
