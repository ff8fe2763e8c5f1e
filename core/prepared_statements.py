"""Statements that nearly every request runs: prepared, so that PostgreSQL parses and plans them once a connection.

Planning takes PostgreSQL up to six times as long as running them. Nothing else is prepared: a batch's statement is
planned once for thousands of rows.
"""

from collections.abc import Sequence
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection


class PreparedCursor(psycopg.Cursor[Any]):
    """A cursor of psycopg that prepares what it runs, unless settings.PREPARED_STATEMENTS is off.

    Django's own cursor puts the parameters into the text, so that each statement would differ from the last.
    """

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        """Run a statement with its parameters apart."""
        return super().execute(query, params, prepare=settings.PREPARED_STATEMENTS)


def run(sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Run one statement and return its rows."""
    # What Django's `connection.cursor()` does, with another cursor: connect if needed, log, translate errors.
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    wrapped = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    plain: Any = PreparedCursor(connection.connection)
    with connection.wrap_database_errors, wrapped(plain) as cursor:
        cursor.execute(sql, params)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
