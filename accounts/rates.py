"""How often something may happen: counters in PostgreSQL, exact under any number of processes.

One row for each thing counted; a window begins with the first hit after the last one ended. The table is unlogged:
it is not worth a disk write, and after a crash everybody starts from zero.
"""

import hashlib
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import connection

from accounts.models import RateCount

COUNT = """
    INSERT INTO accounts_ratecount AS held (key, hits, ends_at) VALUES (%(key)s, 1, %(ends_at)s)
    ON CONFLICT (key) DO UPDATE
       SET hits = CASE WHEN held.ends_at <= %(now)s THEN 1 ELSE LEAST(held.hits + 1, 1000000000) END,
           ends_at = CASE WHEN held.ends_at <= %(now)s THEN excluded.ends_at ELSE held.ends_at END
    RETURNING hits, ends_at
"""
PERIODS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Rate(NamedTuple):
    """At most `hits` in `seconds`."""

    hits: int
    seconds: int


def parse(text: str) -> Rate:
    """Return the rate that `text` says: `30/m`, `1000/hour`. Raises ValueError."""
    hits, _slash, period = text.partition("/")
    if period[:1] not in PERIODS or int(hits) < 1:
        raise ValueError(text)
    return Rate(int(hits), PERIODS[period[0]])


def hit(scope: str, who: str, *, rate: Rate, now: datetime) -> int:
    """Count one hit. Returns 0 when it is within the rate, otherwise the seconds until the window ends."""
    key = hashlib.sha256(f"{scope} {who}".encode()).hexdigest()
    with connection.cursor() as cursor:
        cursor.execute(COUNT, {"key": key, "now": now, "ends_at": now + timedelta(seconds=rate.seconds)})
        hits, ends_at = cursor.fetchone()
    return 0 if hits <= rate.hits else max(1, round((ends_at - now).total_seconds()))


def forget(*, now: datetime) -> int:
    """Delete the counters whose window has ended. Returns how many."""
    return RateCount.objects.filter(ends_at__lte=now).delete()[0]
