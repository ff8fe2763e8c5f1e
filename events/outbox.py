"""Writes the event log. Callers are inside the transaction that makes the events true; nothing else writes it."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection


class Fact(NamedTuple):
    """What happened: to which customer, what, to which object, when by the rules, and with which details."""

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
    """Append the facts in order, in one statement. Returns their ids; plain tuples in Fact's order will do."""
    if not facts:
        return []
    customers, types, subjects, instants, data = zip(*facts, strict=True)
    details = [json.dumps(each, cls=DjangoJSONEncoder) for each in data]
    with connection.cursor() as cursor:
        cursor.execute(RECORD, [list(customers), list(types), list(subjects), list(instants), details])
        return [number for (number,) in cursor.fetchall()]
