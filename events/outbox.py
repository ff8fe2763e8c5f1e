"""`record`, the only code that writes the event log. Call it in the transaction that makes the events true."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection


class Fact(NamedTuple):
    """An event to record. `customer` is the user's primary key, `subject` the public id of the object concerned."""

    customer: int
    type: str
    subject: str
    effective_at: datetime
    data: Mapping[str, Any]


RECORD = """
    INSERT INTO events_event (customer_id, type, subject, effective_at, data)
    SELECT * FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::timestamptz[], %s::jsonb[])
    RETURNING id
"""


def record(facts: Sequence[Fact | tuple[int, str, str, datetime, Mapping[str, Any]]]) -> list[int]:
    """Append the facts in order, in one statement, and return their ids. Plain tuples in Fact's order work too."""
    if not facts:
        return []
    customers, types, subjects, dates, data = zip(*facts, strict=True)
    json_data = [json.dumps(each, cls=DjangoJSONEncoder) for each in data]
    with connection.cursor() as cursor:
        cursor.execute(RECORD, [list(customers), list(types), list(subjects), list(dates), json_data])
        return [event_id for (event_id,) in cursor.fetchall()]
