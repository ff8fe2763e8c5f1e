"""`manage.py simulate FILE`: play a scenario and print what came of it. The format is docs/simulate.md."""

import json
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console

from subscriptions.simulation import BadScenario, playing, read, real, screen
from subscriptions.simulation.loading import load


class Command(BaseCommand):
    help = "Play a scenario file (docs/simulate.md) and print what came of it. Nothing is kept."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="the scenario, - for standard input")
        parser.add_argument("--json", action="store_true", help="print the outcome as JSON")
        parser.add_argument(
            "--database", action="store_true", help="play through the real tables, in one transaction rolled back"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            scenario = read(load(options["file"]))
        except BadScenario as problem:
            raise CommandError(str(problem), returncode=2) from problem
        perform = real.perform if options["database"] else playing.perform
        with screen.progress(scenario, Console(stderr=True)) as advance:
            outcome = perform(scenario, advance)
        if options["json"]:
            self.stdout.write(json.dumps(outcome, indent=2, ensure_ascii=False))
            return
        width = None if self.stdout.isatty() else 140
        screen.show(outcome, scenario, Console(file=cast(IO[str], self.stdout), width=width))
