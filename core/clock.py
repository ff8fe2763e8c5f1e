"""The clock that all machines share: the database's. Automatic charges use it, as a worker's clock may be wrong."""

from datetime import datetime

from django.db import connection


def now() -> datetime:
    """Return the database's current time, in UTC."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        current: datetime = cursor.fetchone()[0]
    return current
