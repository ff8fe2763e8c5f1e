"""Bring translations, tables, static files and demo data up to date before a start. Quick if nothing changed."""

import hashlib
import io
import os
import sys
from pathlib import Path

import django
from django.apps import apps
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command, get_commands
from django.db import connection
from django.db.migrations.exceptions import InconsistentMigrationHistory
from django.db.migrations.loader import MigrationLoader

from billing_site.local import translations

# The exit code of a refusal whose reason has been printed.
REFUSED = 3


def main() -> None:
    """Compile translations, migrate, collect static files, and seed the demo."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_site.settings")
    translations.compile_all()
    django.setup()
    if is_of_an_older_layout():
        print(what_to_do(), file=sys.stderr, flush=True)
        sys.exit(REFUSED)
    print("Migrating, collecting files", flush=True)
    call_command("migrate", verbosity=0, interactive=False)
    collect_static_files()
    if settings.LOCAL and "seed_demo" in get_commands():
        call_command("seed_demo", stdout=io.StringIO())


def is_of_an_older_layout() -> bool:
    """Return whether the database has migrations that the code no longer has. Changes nothing.

    That is so if one of our apps has applied a migration that is not on disk, or some but not its first one.
    """
    loader = MigrationLoader(connection)
    known = {*loader.disk_migrations} | {one for each in loader.disk_migrations.values() for one in each.replaces}
    for label in _own_labels():
        applied = {key for key in loader.applied_migrations if key[0] == label}
        first = {*loader.graph.root_nodes(label)}
        if applied - known or (applied and not applied & first):
            return True
    try:
        loader.check_consistent_history(connection)
    except InconsistentMigrationHistory:
        return True
    return False


def what_to_do() -> str:
    """Return one line that says what to do about a database of an older layout."""
    if settings.EMBEDDED_POSTGRES:
        where = settings.VAR_DIR / "postgres"
        return f"An older version made the database in {where}. Start over: `make clean` deletes it and all local data."
    return "An older version made the database of DATABASE_URL, and this one cannot migrate it: name an empty database."


def collect_static_files() -> None:
    """Collect, hash and compress the static files, unless nothing changed since the last time."""
    stamp, fingerprint = settings.STATIC_ROOT.with_name("static.stamp"), _fingerprint()
    if stamp.exists() and stamp.read_text() == fingerprint and settings.STATIC_ROOT.exists():
        return
    stamp.unlink(missing_ok=True)
    call_command("collectstatic", verbosity=0, interactive=False, clear=True)
    stamp.write_text(fingerprint)


def _own_labels() -> list[str]:
    """Return the labels of the apps in this checkout, which are ours."""
    return [app.label for app in apps.get_app_configs() if (settings.BASE_DIR / app.name.split(".")[0]).is_dir()]


def _fingerprint() -> str:
    """Return a hash of the storage backend and of every static file's name, size and modification time."""
    digest = hashlib.sha256(repr(settings.STORAGES["staticfiles"]).encode())
    for finder in get_finders():
        for name, storage in finder.list([]):
            status = Path(storage.path(name)).stat()
            digest.update(f"{name} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


if __name__ == "__main__":
    main()
