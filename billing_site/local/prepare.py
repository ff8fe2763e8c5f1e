"""Bring database and files up to date before a start. Each step finds out by itself whether it has anything to do."""

import os
import sys

import django
from babel.messages import mofile, pofile
from django.conf import settings
from django.core.management import call_command, get_commands


def main() -> None:
    """Compile messages, migrate, make the cache table, collect static files, and seed the demo."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_site.settings")
    compile_messages()
    django.setup()
    print("Migrating", flush=True)
    call_command("migrate", verbosity=0, interactive=False)
    call_command("createcachetable")
    call_command("collectstatic", verbosity=0, interactive=False)
    if settings.LOCAL and "seed_demo" in get_commands():
        call_command("seed_demo")


def compile_messages() -> None:
    """Make each .mo that is missing or older than its .po, with Babel: no gettext needs to be installed."""
    for directory in settings.LOCALE_PATHS:
        for source in directory.glob("*/LC_MESSAGES/*.po"):
            target = source.with_suffix(".mo")
            if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
                with source.open("rb") as text, target.open("wb") as compiled:
                    mofile.write_mo(compiled, pofile.read_po(text, locale=source.parent.parent.name))


if __name__ == "__main__":
    sys.exit(main())
