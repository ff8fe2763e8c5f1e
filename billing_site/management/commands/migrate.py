"""`manage.py migrate`, safe on a live database: it never waits long for a lock, and may take long to build an index."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import DEFAULT_DB_ALIAS, connections

from billing_site import unfinished_indexes


class Command(migrate.Command):
    """Django's own, with the limits of a migration's session in place of those of a request's."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate. A statement that does not get its lock in time fails, and `migrate` can be run again.

        While an ALTER TABLE waits for a lock, everything that comes after it waits too. Behind a pooler sessions are
        shared, so that the limits of its role stay.
        """
        if settings.DATABASE_POOLED:
            self.migrate(*args, **options)
            return
        with connections[options["database"]].cursor() as cursor:
            cursor.execute(f"SET lock_timeout = '{settings.MIGRATION_LOCK_SECONDS}s'; SET statement_timeout = 0")
        try:
            self.migrate(*args, **options)
        finally:
            with connections[options["database"]].cursor() as cursor:
                cursor.execute("RESET lock_timeout; RESET statement_timeout")

    def migrate(self, *args: Any, **options: Any) -> None:
        """Migrate, after what a run that was killed has left half-built is gone."""
        only_looks = options["plan"] or options["check_unapplied"] or options["prune"] or options["fake"]
        if options["database"] == DEFAULT_DB_ALIAS and not only_looks:
            self.drop_unfinished()
        super().handle(*args, **options)

    def drop_unfinished(self) -> None:
        """Drop the indexes of an interrupted run, which the migrations build again."""
        try:
            dropped = unfinished_indexes.drop()
        except unfinished_indexes.InProgress:
            raise CommandError(
                "An index is being built in this database, perhaps by another `migrate`. Run it again after that."
            ) from None
        for name in dropped:
            self.stdout.write(f"Dropped the index {name}, which an interrupted run has left; it is built again.")
