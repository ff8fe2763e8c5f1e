"""Indexes that are left when CREATE INDEX CONCURRENTLY is interrupted: PostgreSQL keeps a half-built one as INVALID.

A migration that builds an index without a lock has no transaction, so nothing takes back what it has done when it is
killed, and the next try would fail because the index exists.
"""

from collections.abc import Iterator
from typing import NamedTuple

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

# Of this schema; of another one they are none of ours.
INVALID = """
    SELECT index.relname, tables.relname FROM pg_index
    JOIN pg_class AS index ON index.oid = pg_index.indexrelid
    JOIN pg_class AS tables ON tables.oid = pg_index.indrelid
    WHERE NOT pg_index.indisvalid AND pg_table_is_visible(tables.oid)
      AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index AS built WHERE built.index_relid = index.oid)
    ORDER BY index.relname
"""
IN_PROGRESS = "SELECT count(*) FROM pg_stat_progress_create_index WHERE datname = current_database()"
EXISTING = "SELECT name FROM unnest(%s::text[]) AS name WHERE to_regclass(quote_ident(name)) IS NOT NULL ORDER BY name"


class Index(NamedTuple):
    """An index by its name, and the table of it."""

    name: str
    table: str


class InProgress(Exception):
    """An index is being built at this moment, perhaps by another `migrate`."""


def invalid() -> list[Index]:
    """Return the invalid indexes that nobody is building."""
    with connection.cursor() as cursor:
        cursor.execute(INVALID)
        return [Index(*row) for row in cursor.fetchall()]


def drop() -> list[str]:
    """Drop what an interrupted `migrate` has built for migrations that are not applied; return the names.

    They will be built again. Raises InProgress if an index is being built.
    """
    names = list(_of_missing_migrations())
    if not names:
        return []
    with connection.cursor() as cursor:
        cursor.execute(IN_PROGRESS)
        if cursor.fetchone() != (0,):
            raise InProgress
        cursor.execute(EXISTING, [names])
        found = [name for (name,) in cursor.fetchall()]
        for name in found:
            cursor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {connection.ops.quote_name(name)}")
    return found


def _of_missing_migrations() -> Iterator[str]:
    """Yield the names of the indexes that migrations which are not applied build without a lock."""
    executor = MigrationExecutor(connection)
    for migration, _is_backwards in executor.migration_plan(executor.loader.graph.leaf_nodes()):
        for operation in migration.operations:
            if isinstance(operation, AddIndexConcurrently):
                yield operation.index.name
