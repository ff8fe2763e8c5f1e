"""`manage.py bench`: the figures, as ratios within one run."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from rich.console import Console
from rich.table import Table

from billing_site.bench import figures, place


class Command(BaseCommand):
    help = "Measure billing runs, postings and statements, in databases of its own that it drops again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--quick", action="store_true", help="small sizes, under two minutes")
        parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to FILE")
        parser.add_argument("--only", choices=[group.__name__ for group in figures.GROUPS], help="one group of figures")

    def handle(self, *args: Any, **options: Any) -> None:
        size = figures.QUICK if options["quick"] else figures.FULL
        groups = [group for group in figures.GROUPS if options["only"] in (None, group.__name__)]
        found: list[figures.Figure] = []
        with place.template():
            for group in groups:
                for figure in group(size):
                    self.stderr.write(f"{figure.name}: {figure.what}: {figure.ours} / {figure.theirs}")
                    found.append(figure)
        # Wide enough for its lines also where the output goes to a file.
        Console(width=None if self.stdout.isatty() else 140).print(table(found))
        if options["json"]:
            options["json"].write_text(json.dumps([asdict(figure) for figure in found], indent=2) + "\n")
        self.stdout.write("How each was measured, and what limits it: docs/PERFORMANCE.md")


def table(found: list[figures.Figure]) -> Table:
    """The figures as people read them."""
    shown = Table("figure", "what", "ours", "theirs", "ratio", "goal", "")
    for figure in found:
        ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
        mark = {True: "met", False: "missed", None: ""}[figure.met]
        shown.add_row(figure.name, figure.what, figure.ours, figure.theirs, ratio, figure.goal, mark)
    return shown
