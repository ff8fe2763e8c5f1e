"""Bring database and files up to date before a start. Each step finds out by itself whether it has anything to do."""

import io
import os

import django
from django.conf import settings
from django.core.management import call_command, get_commands

from billing_site.local import messages


def main() -> None:
    """Compile messages, migrate, make the cache table, collect static files, and seed the demo."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_site.settings")
    messages.compile_all()
    django.setup()
    print("Migrating, collecting files", flush=True)
    call_command("migrate", verbosity=0, interactive=False)
    call_command("createcachetable", verbosity=0)
    call_command("collectstatic", verbosity=0, interactive=False)
    if settings.LOCAL and "seed_demo" in get_commands():
        call_command("seed_demo", stdout=io.StringIO())


if __name__ == "__main__":
    main()
