"""Fast SQL for batches: columns passed to PostgreSQL as arrays, and instants converted to and from microseconds."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper

# An array of ids that the planner does not inspect: otherwise it would estimate each of thousands, every time.
GIVEN = "(SELECT %s::bigint[])::bigint[]"


def array(values: Iterable[object]) -> str:
    """Return numbers, booleans or plain words as a PostgreSQL array literal: much faster than adapting a list."""
    joined = ",".join(map(str, values))
    # None of the words we pass contains "None".
    return "{" + (joined.replace("None", "NULL") if "None" in joined else joined) + "}"


def instant(column: str) -> str:
    """Return SQL that converts a bigint column of microseconds into a timestamptz without rounding.

    PostgreSQL multiplies intervals in floating point. After the year 2255 that is too coarse for microseconds alone,
    so hours and the rest are added separately.
    """
    hours, rest = f"{column} / 3600000000", f"mod({column}, 3600000000)"
    return f"('epoch'::timestamptz + {hours} * interval '1 hour' + {rest} * interval '1 microsecond')"


def micros(column: str) -> str:
    """Return SQL that converts a timestamptz into microseconds since 1970: far cheaper than reading datetimes."""
    return f"(extract(epoch FROM {column}) * 1000000)::bigint"


def columns(words: str) -> list[tuple[str, str]]:
    """Split "id bigint, at bigint" into (name, type) pairs."""
    return [(name, kind) for name, kind in (column.split() for column in words.split(","))]


def run_on(sql: str, named: Sequence[tuple[str, str]], rows: Sequence[Sequence[object]], *more: object) -> None:
    """Run a statement in which `:rows` is a table of these rows, numbered by `place`; then come `more` parameters.

    A column with the same value in every row is sent once. In a billing run most columns are.
    """
    chosen, varying, arrays = [], [], []
    once: list[str | None] = []
    many: list[str] = []
    for (name, kind), values in zip(named, zip(*rows, strict=True), strict=True):
        if many and values.count(values[0]) == len(values):
            chosen.append(f"%s::{kind} AS {name}")
            once.append(None if values[0] is None else str(values[0]))
        else:
            chosen.append(name)
            varying.append(name)
            arrays.append(f"%s::{kind}[]")
            many.append(array(values))
    table = (
        f"(SELECT {', '.join(chosen)}, place FROM unnest({', '.join(arrays)})"  # noqa: S608 - column names only
        f" WITH ORDINALITY AS varying ({', '.join(varying)}, place))"
    )
    run(sql.replace(":rows", table), [*once, *many, *more])


def run(sql: str, params: Iterable[Any]) -> list[tuple[Any, ...]]:
    """Run one statement and return its rows, if any."""
    cursor: CursorWrapper
    with connection.cursor() as cursor:
        cursor.execute(sql, list(params))
        return cursor.fetchall() if cursor.description else []
