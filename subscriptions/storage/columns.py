"""Columns of numbers on their way to PostgreSQL, and instants on their way back."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper

# Ids as a parameter that the planner does not look into: it would weigh each of thousands, every time.
GIVEN = "(SELECT %s::bigint[])::bigint[]"


def array(values: Iterable[object]) -> str:
    """Write numbers, booleans and plain words as an array literal: much faster than adapting a list."""
    joined = ",".join(map(str, values))
    # No word of ours contains it.
    return "{" + (joined.replace("None", "NULL") if "None" in joined else joined) + "}"


def instant(column: str) -> str:
    """SQL that turns a bigint column of microseconds into an instant, exactly.

    An interval is multiplied in floating point, which after 2255 is too coarse for microseconds, and not for hours.
    """
    hours, rest = f"{column} / 3600000000", f"mod({column}, 3600000000)"
    return f"('epoch'::timestamptz + {hours} * interval '1 hour' + {rest} * interval '1 microsecond')"


def micros(column: str) -> str:
    """SQL that turns an instant into microseconds since 1970, exactly: far cheaper than a datetime each."""
    return f"(extract(epoch FROM {column}) * 1000000)::bigint"


def columns(words: str) -> list[tuple[str, str]]:
    """Read "id bigint, at bigint" as names and types."""
    return [(name, kind) for name, kind in (column.split() for column in words.split(","))]


def run_on(sql: str, named: Sequence[tuple[str, str]], rows: Sequence[Sequence[object]], *more: object) -> None:
    """Run a statement in which `:rows` stands for these rows as a table, with their `place`; then `more` parameters.

    A column that is the same in every row travels once: of a billing run that is most of them.
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
    """Run one statement; return its rows, if it has any."""
    cursor: CursorWrapper
    with connection.cursor() as cursor:
        cursor.execute(sql, list(params))
        return cursor.fetchall() if cursor.description else []
