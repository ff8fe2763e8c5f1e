"""`manage.py migrate`, safe on a live database: it never waits long for a lock, and may take long to build an index."""

from typing import Any

from django.conf import settings
from django.core.management.commands import migrate
from django.db import connections


class Command(migrate.Command):
    """Django's own, with the limits of a migration's session in place of those of a request's."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate. A statement that does not get its lock in time fails, and `migrate` can be run again.

        While an ALTER TABLE waits for a lock, everything that comes after it waits too. Behind a pooler sessions are
        shared, so that the limits of its role stay.
        """
        if settings.DATABASE_POOLED:
            super().handle(*args, **options)
            return
        with connections[options["database"]].cursor() as cursor:
            cursor.execute(f"SET lock_timeout = '{settings.MIGRATION_LOCK_SECONDS}s'; SET statement_timeout = 0")
        try:
            super().handle(*args, **options)
        finally:
            with connections[options["database"]].cursor() as cursor:
                cursor.execute("RESET lock_timeout; RESET statement_timeout")
