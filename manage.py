#!/usr/bin/env python
import os
import signal
import sys

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from billing_site.local import servers
from billing_site.local.lease import ServerError

# Commands that need no server. For every other one the embedded PostgreSQL and Valkey are started if needed.
WITHOUT_SERVERS = {"check", "collectstatic", "compilemessages", "help", "makemessages", "spectacular", "version"}


def main() -> None:
    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    try:
        embedded = settings.EMBEDDED_POSTGRES or settings.EMBEDDED_VALKEY
    except ImproperlyConfigured as error:
        sys.exit(str(error))
    if embedded and command not in WITHOUT_SERVERS and "--help" not in sys.argv:
        hold_servers()
    execute_from_command_line(sys.argv)


def hold_servers() -> None:
    """Start the servers that no environment variable replaces, and hold them until this process ends."""
    # SIGTERM must end the process through sys.exit, so that the servers are released.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        for server in servers.needed():
            server.hold()
    except ServerError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_site.settings")
    main()
