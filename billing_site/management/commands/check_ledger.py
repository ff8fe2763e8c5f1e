"""`manage.py check_ledger`: check that no money was created, lost or charged twice. Exit code 0: clean, 3: broken."""

import json
import sys
from collections.abc import Iterable
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandParser
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from billing_site import ledger_checks
from billing_site.integrity import Finding, is_replica, look, renew_statistics, snapshot
from core import clock

BROKEN = 3


class Command(BaseCommand):
    help = (
        "Check every rule of the ledger, the charges and the payments, in one snapshot. Exit code 3 when one is broken."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the findings as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        began = clock.now()
        renew_statistics()
        with snapshot():
            findings = look()
        if not is_replica():
            ledger_checks.keep(findings, now=began)
        broken = [finding for finding in findings if finding.count]
        self.stdout.write(as_json(findings)) if options["json"] else self.show(findings, broken)
        if broken:
            sys.exit(BROKEN)

    def show(self, findings: list[Finding], broken: list[Finding]) -> None:
        """Print a table of all checks, the first rows of what is wrong, and what to do next."""
        console = Console(file=cast(IO[str], self.stdout._out))
        console.print(overview(findings))
        for finding in broken:
            console.print(details(finding))
        seconds = sum(finding.seconds for finding in findings)
        if broken:
            rows = sum(finding.count for finding in broken)
            console.print(f"{len(broken)} of {len(findings)} checks found {rows} wrong rows. Stop the workers, leave "
                          "the database as it is, and follow docs/runbook.md, 'If check_ledger fails'.")  # fmt: skip
        else:
            console.print(f"Clean: {len(findings)} checks in {seconds:.1f} s. Nothing to do.")


def overview(findings: Iterable[Finding]) -> Table:
    """Return a table with one row for each check."""
    table = Table()
    table.add_column("check", no_wrap=True)
    for heading in ("what it checks", "", "s"):
        table.add_column(heading)
    for finding in findings:
        result = f"[bold red]{finding.count} wrong[/]" if finding.count else "[green]ok[/]"
        table.add_row(finding.check.name, finding.check.meaning, result, f"{finding.seconds:.2f}")
    return table


def details(finding: Finding) -> Table:
    """Return a table with the first wrong rows of one check."""
    table = Table(*finding.rows[0], title=f"{finding.check.name}: {len(finding.rows)} of {finding.count}")
    for row in finding.rows:
        table.add_row(*(escape(str(value)) for value in row.values()))
    return table


def as_json(findings: list[Finding]) -> str:
    """Return the findings as JSON, with datetimes and decimals as text."""
    return json.dumps(
        {
            "clean": not any(finding.count for finding in findings),
            "seconds": round(sum(finding.seconds for finding in findings), 3),
            "checks": [
                {
                    "name": finding.check.name,
                    "meaning": finding.check.meaning,
                    "wrong": finding.count,
                    "seconds": round(finding.seconds, 3),
                    "rows": finding.rows,
                }
                for finding in findings
            ],
        },
        indent=2,
        default=str,
    )
