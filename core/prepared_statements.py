"""Statements that nearly every request runs: prepared, so that PostgreSQL parses and plans them once a connection.

Planning takes PostgreSQL up to six times as long as running them. Nothing else is prepared: a batch's statement is
planned once for thousands of rows.
"""

from collections.abc import Sequence
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection

from core import columns


class PreparedCursor(psycopg.Cursor[Any]):
    """A cursor of psycopg that prepares what it runs, unless settings.PREPARED_STATEMENTS is off.

    Django's own cursor puts the parameters into the text, so that each statement would differ from the last.
    """

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        """Run a statement with its parameters apart."""
        return super().execute(query, params, prepare=settings.PREPARED_STATEMENTS)


def run(sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Run one statement and return its rows."""
    if connection.queries_logged:
        # Django cannot log what is sent apart from its parameters.
        return columns.run(sql, params)
    # What Django's `connection.cursor()` does, with another cursor: connect if needed, translate errors.
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    plain: Any = PreparedCursor(connection.connection)
    with connection.wrap_database_errors, connection.make_cursor(plain) as cursor:
        cursor.execute(sql, params)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
