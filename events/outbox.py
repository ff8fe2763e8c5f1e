"""`record` and `record_rows`, the only code that writes the event log.

Call them in the transaction that makes the events true.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.core.serializers.json import DjangoJSONEncoder

from core.columns import INSTANT, columns, run_on, send_on


class Fact(NamedTuple):
    """An event to record. `customer` is the user's primary key, `subject` the public id of the object concerned."""

    customer: int
    type: str
    subject: str
    effective_at: datetime
    data: Mapping[str, Any]


class Row(NamedTuple):
    """A fact as a billing run has it: `effective_at` in microseconds since 1970 UTC, `data` as JSON text."""

    customer: int
    type: str
    subject: str
    effective_at: int
    data: str


WORDS = "customer bigint, type text, subject text, at {instant}, data jsonb"
FACTS, ROWS = columns(WORDS.format(instant="timestamptz")), columns(WORDS.format(instant=INSTANT))
RECORD = """
    INSERT INTO events_event (customer_id, type, subject, effective_at, data)
    SELECT customer, type, subject, at, data FROM :rows AS event ORDER BY place
"""


def record(facts: Sequence[Fact | tuple[int, str, str, datetime, Mapping[str, Any]]]) -> list[int]:
    """Append the facts in order, in one statement, and return their ids. Plain tuples in Fact's order work too."""
    if not facts:
        return []
    rows = [(*fact[:4], json.dumps(fact[4], cls=DjangoJSONEncoder)) for fact in facts]
    return [event_id for (event_id,) in run_on(RECORD + " RETURNING id", FACTS, rows)]


def record_rows(rows: Sequence[Row | tuple[int, str, str, int, str]]) -> None:
    """Append thousands of rows in order: what is the same in all of them is sent once. Plain tuples work too."""
    if rows:
        send_on(RECORD, ROWS, rows)
