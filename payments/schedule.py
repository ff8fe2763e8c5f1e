"""When to ask the gateway about a payment that is still open. Pure: the table and the clock, nothing else."""

from datetime import datetime, timedelta

# Ages of the payment at which it is asked about; after the last one, once a day for as long as it is open.
AGES = (
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=6),
)
DAY = timedelta(days=1)


def next_check(created_at: datetime, *, expires_at: datetime, after: datetime) -> datetime:
    """Return the first instant later than `after` at which to ask. The instant of expiry is always one of them."""
    ages = [created_at + age for age in AGES] + [expires_at]
    daily = created_at + ((after - created_at) // DAY + 1) * DAY
    return min(instant for instant in [*ages, daily] if instant > after)


def next_event_try(received_at: datetime, *, tries: int, now: datetime) -> datetime | None:
    """When to take up a webhook event again that could not be processed: 5 s, 10 s, 20 s ... up to an hour apart.

    None once it is 72 hours old: it stays parked, for staff.
    """
    wait = timedelta(seconds=min(5 * 2 ** min(tries - 1, 10), 3600))
    return now + wait if now + wait <= received_at + timedelta(hours=72) else None
