"""`manage.py check_ledger`: prove that no money was made, lost or charged twice. Exit code 0: clean, 3: broken."""

import json
import sys
from collections.abc import Iterable
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandParser
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from billing_site.integrity import Finding, look, snapshot

BROKEN = 3


class Command(BaseCommand):
    help = (
        "Check every rule of the ledger, the charges and the payments, in one snapshot. Exit code 3 when one is broken."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the findings as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        with snapshot():
            found = look()
        broken = [finding for finding in found if finding.count]
        self.stdout.write(as_json(found)) if options["json"] else self.show(found, broken)
        if broken:
            sys.exit(BROKEN)

    def show(self, found: list[Finding], broken: list[Finding]) -> None:
        """Print a table of all checks, the first rows of what is wrong, and what to do next."""
        console = Console(file=cast(IO[str], self.stdout._out))
        console.print(overview(found))
        for finding in broken:
            console.print(details(finding))
        seconds = sum(finding.seconds for finding in found)
        if broken:
            rows = sum(finding.count for finding in broken)
            console.print(f"{len(broken)} of {len(found)} checks found {rows} wrong rows. Stop the workers, keep the "
                          "database as it is, and go on with docs/runbook.md, 'The books are broken'.")  # fmt: skip
        else:
            console.print(f"Clean: {len(found)} checks in {seconds:.1f} s. Nothing to do.")


def overview(found: Iterable[Finding]) -> Table:
    table = Table()
    table.add_column("check", no_wrap=True)
    for heading in ("what it proves", "", "s"):
        table.add_column(heading)
    for finding in found:
        mark = f"[bold red]{finding.count} wrong[/]" if finding.count else "[green]ok[/]"
        table.add_row(finding.check.name, finding.check.meaning, mark, f"{finding.seconds:.2f}")
    return table


def details(finding: Finding) -> Table:
    table = Table(*finding.rows[0], title=f"{finding.check.name}: {len(finding.rows)} of {finding.count}")
    for row in finding.rows:
        table.add_row(*(escape(str(value)) for value in row.values()))
    return table


def as_json(found: list[Finding]) -> str:
    """Return the findings for programs; instants and large numbers as text."""
    return json.dumps(
        {
            "clean": not any(finding.count for finding in found),
            "seconds": round(sum(finding.seconds for finding in found), 3),
            "checks": [
                {
                    "name": finding.check.name,
                    "meaning": finding.check.meaning,
                    "wrong": finding.count,
                    "seconds": round(finding.seconds, 3),
                    "rows": finding.rows,
                }
                for finding in found
            ],
        },
        indent=2,
        default=str,
    )
