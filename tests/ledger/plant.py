"""Putting errors into a test's database that its guards would refuse. No test lives here."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection


def sql(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)


@contextmanager
def unguarded(*tables: str) -> Iterator[None]:
    """Put the triggers of these tables to sleep for the block."""
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    for table in tables:
        sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    yield
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    for table in tables:
        sql(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def plant(table: str, statement: str, *values: Any, without: str = "") -> None:
    """Run a statement that the table's triggers, and the constraint `without`, would refuse."""
    with unguarded(table):
        if without:
            sql(f"ALTER TABLE {table} DROP CONSTRAINT {without}")
        sql(statement, *values)


def triggers_of(prefix: str) -> list[str]:
    """Return the names of all triggers on tables whose names begin so."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND starts_with(tgrelid::regclass::text, %s)",
            [prefix],
        )
        return sorted(name for (name,) in cursor.fetchall())
