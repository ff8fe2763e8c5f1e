"""`manage.py simulate FILE`: play a scenario and print the outcome. docs/simulate.md describes the format."""

import json
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console

from subscriptions.simulation import database_stage, engine_stage, report
from subscriptions.simulation.fields import BadScenario
from subscriptions.simulation.files import load
from subscriptions.simulation.scenario import read
from subscriptions.simulation.schema import DEFINITIONS, published


class Command(BaseCommand):
    help = "Play a scenario file (docs/simulate.md) and print the outcome. Nothing is saved."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("file", nargs="?", help="the scenario file, or - for standard input")
        what.add_argument("--schema", choices=DEFINITIONS, help="only print a JSON Schema of docs/schema/")
        parser.add_argument("--json", action="store_true", help="print the outcome as JSON")
        parser.add_argument(
            "--database", action="store_true", help="play with the real tables, in a transaction that is rolled back"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["schema"]:
            self.stdout.write(published(options["schema"]))
            return
        try:
            scenario = read(load(options["file"]))
        except BadScenario as problem:
            raise CommandError(str(problem), returncode=2) from problem
        stage = database_stage if options["database"] else engine_stage
        with report.progress(scenario, Console(stderr=True)) as advance:
            outcome = stage.play(scenario, advance)
        if options["json"]:
            self.stdout.write(json.dumps(outcome, indent=2, ensure_ascii=False))
            return
        width = None if self.stdout.isatty() else 140
        report.show(outcome, scenario, Console(file=cast(IO[str], self.stdout), width=width))
