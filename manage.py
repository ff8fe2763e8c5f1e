#!/usr/bin/env python
import os
import signal
import sys

from django.conf import settings
from django.core.management import execute_from_command_line

from billing_site.local import postgres

# These never ask the database; everything else finds one running, also on a bare machine.
WITHOUT_DATABASE = {"check", "collectstatic", "compilemessages", "help", "makemessages", "spectacular", "version"}


def main() -> None:
    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    if settings.EMBEDDED_POSTGRES and command not in WITHOUT_DATABASE and "--help" not in sys.argv:
        # So that the server is given back also when we are told to end.
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
        try:
            postgres.hold(settings.VAR_DIR / "postgres")
        except postgres.PostgresError as error:
            sys.exit(str(error))
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_site.settings")
    main()
