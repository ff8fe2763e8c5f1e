"""Record that a saved card which is in use expires soon: an event 30 and 7 days before.

A run that is late records only the tightest reminder that is still true, and none once the card has expired.
"""

from datetime import UTC, datetime

from django.db import connection, transaction

from core.columns import run
from events import outbox

EVENT = "payment_method.expires_soon"
# Days before the card expires.
DAYS_BEFORE = (30, 7)
# The most reminders of one transaction, and of one run. The next run goes on.
BATCH, MOST = 1000, 20_000
# Serializes the sweeps, so that two at once record a reminder once. The number only has to be ours.
SWEEP_LOCK = 7_245_003

# In use: its owner has something that renews or runs.
DUE = """
    SELECT DISTINCT ON (method.id) method.customer_id, method.public_id, method.expires_on, ahead.days
    FROM unnest(%s::int[]) AS ahead (days)
    JOIN payments_paymentmethod AS method
        ON method.expires_on > %s AND method.expires_on <= %s + ahead.days * interval '1 day'
    WHERE method.removed_at IS NULL
        AND EXISTS (SELECT FROM subscriptions_subscription AS sub
            WHERE sub.customer_id = method.customer_id AND sub.ended_at IS NULL AND sub.auto_renew
                AND NOT sub.cancel_requested AND sub.status <> 'pending')
        AND NOT EXISTS (SELECT FROM events_event AS event
            WHERE event.subject = method.public_id AND event.type = %s AND (event.data->>'days')::int <= ahead.days
                AND (event.data->>'expires_at')::timestamptz = method.expires_on)
    ORDER BY method.id, ahead.days
    LIMIT %s
"""


def run_due(*, now: datetime) -> int:
    """Record the reminders that are due at `now` and not recorded yet; return how many."""
    total = 0
    while total < MOST:
        count = _record_batch(now)
        total += count
        if count < BATCH:
            break
    return total


def next_after(days: int) -> int:
    """Return how many days before the end the next reminder is due; zero after the last."""
    return max((before for before in DAYS_BEFORE if before < days), default=0)


def _record_batch(now: datetime) -> int:
    """Record one batch in one transaction."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SWEEP_LOCK])
        due = run(DUE, [list(DAYS_BEFORE), now, now, EVENT, BATCH])
        outbox.record(
            [
                outbox.Fact(customer, EVENT, name, now, {"days": days, "expires_at": ends.astimezone(UTC).isoformat()})
                for customer, name, ends, days in due
            ]
        )
    return len(due)
