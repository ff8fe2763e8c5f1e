"""Fast SQL for batches: rows passed to PostgreSQL as one array for each column that varies, and instants as numbers."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper
from psycopg.pq import PipelineStatus

# An array of ids that the planner does not inspect: otherwise it would estimate each of thousands, every time.
GIVEN = "(SELECT %s::bigint[])::bigint[]"
# The kind of a column of instants in microseconds since 1970 UTC. SQL sees a timestamptz.
INSTANT = "instant"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Waits for the rows of a statement that was sent, and returns them.
Answer = Callable[[], list[tuple[Any, ...]]]


def array(values: Iterable[object]) -> str:
    """Return numbers, booleans, UUIDs or None as an array literal: much faster than letting the driver adapt a list."""
    joined = ",".join(map(str, values))
    return "{" + (joined.replace("None", "NULL") if "None" in joined else joined) + "}"


def texts(values: Sequence[str | None]) -> str:
    """Return strings or None as an array literal."""
    if None in values:
        return "{" + ",".join(["NULL" if value is None else f'"{_escaped(value)}"' for value in values]) + "}"
    joined = '","'.join(values)  # type: ignore[arg-type]
    if "\\" in joined or joined.count('"') != 2 * (len(values) - 1):
        joined = '","'.join([_escaped(value or "") for value in values])
    return '{"' + joined + '"}'


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')


def datetimes(values: Iterable[datetime]) -> str:
    """Return aware datetimes as an array literal."""
    return "{" + ",".join([value.isoformat() for value in values]) + "}"


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
    """Split "id bigint, at instant" into (name, kind) pairs. A kind is a PostgreSQL type, or INSTANT."""
    return [(name, kind) for name, kind in (column.split() for column in words.split(","))]


def run_on(
    sql: str, named: Sequence[tuple[str, str]], rows: Sequence[Sequence[Any]], *more: object
) -> list[tuple[Any, ...]]:
    """Run a statement in which `:rows` is a table of these rows, numbered by `place`; then come `more` parameters.

    The rows have the columns `named`, in that order, and keep their own order. A column with the same value in every
    row is sent once, the first column apart: in a billing run most columns are like that. Return the statement's rows.
    """
    return ask_on(sql, named, rows, *more)()


def ask_on(sql: str, named: Sequence[tuple[str, str]], rows: Sequence[Sequence[Any]], *more: object) -> Answer:
    """Send the same, and return a function that waits for the statement's rows, as `ask` does."""
    return ask(*_filled(sql, named, rows, more))


def send_on(sql: str, named: Sequence[tuple[str, str]], rows: Sequence[Sequence[Any]], *more: object) -> None:
    """Do the same with a statement that returns no rows; within `pipeline`, do not wait for the server's answer."""
    with connection.cursor() as cursor:
        cursor.execute(*_filled(sql, named, rows, more))


@contextmanager
def pipeline() -> Iterator[None]:
    """Send statements one after the other while the server still works on those before: of `send_on`, `ask`, `ask_on`.

    Use it within a transaction. The error of a statement is raised by a later one, or at the end of the block.
    """
    with connection.wrap_database_errors, connection.connection.pipeline():
        yield


def _filled(
    sql: str, named: Sequence[tuple[str, str]], rows: Sequence[Sequence[Any]], more: Sequence[object]
) -> tuple[str, list[Any]]:
    """Return the statement with `:rows` filled in, and its parameters."""
    chosen, varying, arrays = [], [], []
    once: list[Any] = []
    many: list[str] = []
    for (name, kind), values in zip(named, zip(*rows, strict=True), strict=True):
        if many and values.count(values[0]) == len(values):
            chosen.append(f"%s::{'timestamptz' if kind == INSTANT else kind} AS {name}")
            once.append(_single(kind, values[0]))
        else:
            chosen.append(f"{instant(name)} AS {name}" if kind == INSTANT else name)
            varying.append(name)
            arrays.append(f"%s::{'bigint' if kind == INSTANT else kind}[]")
            many.append(AS_ARRAY.get(kind, array)(values))
    table = (
        f"(SELECT {', '.join(chosen)}, place FROM unnest({', '.join(arrays)})"  # noqa: S608 - column names only
        f" WITH ORDINALITY AS varying ({', '.join(varying)}, place))"
    )
    return sql.replace(":rows", table), [*once, *many, *more]


AS_ARRAY: dict[str, Any] = {"text": texts, "jsonb": texts, "timestamptz": datetimes}


def _single(kind: str, value: Any) -> Any:
    """Return a value that is sent once as the driver takes it; an instant as a constant that SQL need not compute."""
    if value is None:
        return None
    return EPOCH + timedelta(microseconds=value) if kind == INSTANT else str(value)


def run(sql: str, params: Iterable[Any]) -> list[tuple[Any, ...]]:
    """Run one statement and return its rows, if any. Within `pipeline` it must return rows, and waits for them."""
    cursor: CursorWrapper
    with connection.cursor() as cursor:
        cursor.execute(sql, list(params))
        in_pipeline = connection.connection.info.pipeline_status != PipelineStatus.OFF
        return cursor.fetchall() if in_pipeline or cursor.description else []


def ask(sql: str, params: Iterable[Any]) -> Answer:
    """Send a statement that returns rows, and return a function that waits for them, to be called once.

    Within `pipeline` nothing waits before, so that much can be asked at once. A statement's error is raised by the
    first wait after it.
    """
    cursor: CursorWrapper = connection.cursor()
    cursor.execute(sql, list(params))

    def rows() -> list[tuple[Any, ...]]:
        with cursor:
            found: list[tuple[Any, ...]] = cursor.fetchall()
        return found

    return rows
