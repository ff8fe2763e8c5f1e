"""Helpers that write errors into the test database past its guards."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection


def sql(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)


@contextmanager
def unguarded(*tables: str) -> Iterator[None]:
    """Disable the triggers of these tables within the block."""
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    for table in tables:
        sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    yield
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    for table in tables:
        sql(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def plant(table: str, statement: str, *values: Any, without: str = "") -> None:
    """Run a statement with the table's triggers disabled and its constraint `without` dropped."""
    with unguarded(table):
        if without:
            sql(f"ALTER TABLE {table} DROP CONSTRAINT {without}")
        sql(statement, *values)


def triggers_of(prefix: str) -> list[str]:
    """Return the sorted names of all triggers on tables whose names begin with the prefix."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND starts_with(tgrelid::regclass::text, %s)",
            [prefix],
        )
        return sorted(name for (name,) in cursor.fetchall())
