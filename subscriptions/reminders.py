"""Record that renewals are near: an event of each subscription 30 and 7 days before an annual renewal, 3 before others.

Nothing is remembered between two runs but the events: a run that is late records only the tightest reminder that is
still true, and none after the renewal.
"""

from datetime import UTC, datetime, timedelta

from django.db import connection, transaction

from core.columns import run
from events import outbox

EVENT = "subscription.renewal_ahead"
# The most reminders of one transaction, and of one run. The next run goes on.
BATCH, MOST = 1000, 20_000
# Serializes the sweeps, so that two at once record a reminder once. The number only has to be ours.
SWEEP_LOCK = 7_245_002

# A shorter period is not reminded of: that would be a mail every few days.
MONTH, YEAR, FOR_EVER = timedelta(days=27), timedelta(days=360), timedelta(days=5000)
# Days before the renewal, for periods from the first length up to the second.
DAYS_BEFORE = ((30, YEAR, FOR_EVER), (7, YEAR, FOR_EVER), (3, MONTH, YEAR))

# Charges end when their subscription renews. They are found through the index charge_by_end, which costs the billing of
# short periods nothing; an index on subscriptions would.
DUE = """
    SELECT DISTINCT ON (sub.id) sub.customer_id, sub.public_id, sub.period_end, ahead.days
    FROM (VALUES {rules}) AS ahead (days, shortest, longest)
    JOIN subscriptions_charge AS charge
        ON charge.period_end > %s AND charge.period_end <= %s + ahead.days * interval '1 day'
        AND charge.full_length >= {shortest} AND charge.full_length >= ahead.shortest
        AND charge.full_length < ahead.longest
    JOIN subscriptions_subscription AS sub ON sub.id = charge.subscription_id AND sub.period_end = charge.period_end
    JOIN subscriptions_price AS price ON price.id = coalesce(sub.scheduled_price_id, sub.price_id)
    WHERE sub.status = 'active' AND sub.auto_renew AND NOT sub.cancel_requested AND price.amount > 0
        AND NOT EXISTS (SELECT FROM events_event AS event
            WHERE event.subject = sub.public_id AND event.type = %s AND (event.data->>'days')::int <= ahead.days
                AND (event.data->>'renews_at')::timestamptz = sub.period_end)
    ORDER BY sub.id, ahead.days
    LIMIT %s
"""
RULES = ", ".join(
    f"({days}, {shortest // timedelta(microseconds=1)}, {longest // timedelta(microseconds=1)})"
    for days, shortest, longest in DAYS_BEFORE
)
SQL = DUE.format(rules=RULES, shortest=MONTH // timedelta(microseconds=1))


def run_due(*, now: datetime) -> int:
    """Record the reminders that are due at `now` and not recorded yet; return how many."""
    total = 0
    while total < MOST:
        count = _record_batch(now)
        total += count
        if count < BATCH:
            break
    return total


def has_reminder(days: int, length: timedelta) -> bool:
    """Return whether a renewal of such a period is reminded of so many days ahead."""
    return any(days == before and shortest <= length < longest for before, shortest, longest in DAYS_BEFORE)


def next_after(days: int, length: timedelta) -> int:
    """Return how many days before the renewal the next reminder of such a period is due; zero after the last."""
    own = (before for before, shortest, longest in DAYS_BEFORE if shortest <= length < longest)
    return max((before for before in own if before < days), default=0)


def _record_batch(now: datetime) -> int:
    """Record one batch in one transaction."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SWEEP_LOCK])
        due = run(SQL, [now, now, EVENT, BATCH])
        outbox.record(
            [
                outbox.Fact(customer, EVENT, name, now, {"days": days, "renews_at": ends.astimezone(UTC).isoformat()})
                for customer, name, ends, days in due
            ]
        )
    return len(due)
