"""Columns of numbers on their way to PostgreSQL, and instants on their way back."""

from collections.abc import Iterable
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper


def array(values: Iterable[object]) -> str:
    """Write numbers, booleans and plain words as an array literal: much faster than adapting a list."""
    joined = ",".join(map(str, values))
    # No word of ours contains it.
    return "{" + (joined.replace("None", "NULL") if "None" in joined else joined) + "}"


def instant(column: str) -> str:
    """SQL that turns a bigint column of microseconds into an instant, exactly."""
    return f"('epoch'::timestamptz + {column} * interval '1 microsecond')"


def micros(column: str) -> str:
    """SQL that turns an instant into microseconds since 1970, exactly: far cheaper than a datetime each."""
    return f"(extract(epoch FROM {column}) * 1000000)::bigint"


def run(sql: str, params: Iterable[Any]) -> list[tuple[Any, ...]]:
    """Run one statement; return its rows, if it has any."""
    cursor: CursorWrapper
    with connection.cursor() as cursor:
        cursor.execute(sql, list(params))
        return cursor.fetchall() if cursor.description else []
