"""`manage.py bench`: measure and print the figures, as ratios within one run."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from rich.console import Console
from rich.table import Table

from billing_site.bench import figures


class Command(BaseCommand):
    help = "Measure billing runs, postings, statements, webhooks and the API, in databases that it creates and drops."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--quick", action="store_true", help="small sizes, two or three minutes")
        parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to FILE")
        parser.add_argument("--only", choices=[group.__name__ for group in figures.GROUPS], help="one group of figures")

    def handle(self, *args: Any, **options: Any) -> None:
        size = figures.QUICK if options["quick"] else figures.FULL
        groups = [group for group in figures.GROUPS if options["only"] in (None, group.__name__)]
        measured: list[figures.Figure] = []
        with figures.template():
            for group in groups:
                for figure in group(size):
                    self.stderr.write(f"{figure.name}: {figure.what}: {figure.ours} / {figure.theirs}")
                    measured.append(figure)
        # Wide enough for whole lines when the output goes to a file.
        Console(width=None if self.stdout.isatty() else 140).print(table(measured))
        if options["json"]:
            options["json"].write_text(json.dumps([asdict(figure) for figure in measured], indent=2) + "\n")
        self.stdout.write("docs/PERFORMANCE.md says how each was measured and what limits it.")


def table(measured: list[figures.Figure]) -> Table:
    """Return the figures as a table for a terminal."""
    rows = Table("figure", "what", "ours", "theirs", "ratio", "goal", "")
    for figure in measured:
        ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
        verdict = {True: "met", False: "missed", None: ""}[figure.met]
        rows.add_row(figure.name, figure.what, figure.ours, figure.theirs, ratio, figure.goal, verdict)
    return rows
