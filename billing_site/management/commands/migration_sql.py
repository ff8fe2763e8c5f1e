"""`manage.py migration_sql DIR`: write the SQL of every migration of the product to files, for `make lint`."""

from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser


class Command(BaseCommand):
    help = "Write the SQL of each migration of the product to DIR, as APP.NAME.sql. Other .sql files there are deleted."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("directory", type=Path, metavar="DIR")

    def handle(self, *args: Any, directory: Path, **options: Any) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        for old in directory.glob("*.sql"):
            old.unlink()
        for app in apps.get_app_configs():
            migrations = Path(app.path) / "migrations"
            if not migrations.is_relative_to(settings.BASE_DIR) or ".venv" in migrations.parts:
                continue
            for file in sorted(migrations.glob("[0-9]*.py")):
                with (directory / f"{app.label}.{file.stem}.sql").open("w") as out:
                    call_command("sqlmigrate", app.label, file.stem, stdout=out, no_color=True)
