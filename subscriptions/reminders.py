"""What renewals and ends of trials are reminded of, and when.

30 and 7 days before an annual renewal, 3 days before others of 27 days or more, 3 days before a trial ends, and one day
before a trial of 3 days or less ends.
"""

from datetime import datetime, timedelta

from core.columns import run
from events import reminders
from events.reminders import Sweep

EVENT, TRIAL_EVENT = "subscription.renewal_ahead", "subscription.trial_ending"

# A shorter period is not reminded of: that would be a mail every few days.
MONTH, YEAR, FOR_EVER = timedelta(days=27), timedelta(days=360), timedelta(days=5000)
# Days before the renewal, for periods from the first length up to the second.
DAYS_BEFORE = ((30, YEAR, FOR_EVER), (7, YEAR, FOR_EVER), (3, MONTH, YEAR))

# Charges end when their subscription renews. They are found through the index charge_by_end, which costs the billing of
# short periods nothing; an index on subscriptions would. MATERIALIZED has the few that are near found first: with the
# limit in view, the planner may walk through all subscriptions instead.
DUE = """
    WITH near AS MATERIALIZED (
        SELECT charge.subscription_id, charge.period_end, ahead.days
        FROM (VALUES {rules}) AS ahead (days, shortest, longest)
        JOIN subscriptions_charge AS charge
            ON charge.period_end > %s AND charge.period_end <= %s + ahead.days * interval '1 day'
            AND charge.full_length >= {shortest} AND charge.full_length >= ahead.shortest
            AND charge.full_length < ahead.longest
    )
    SELECT DISTINCT ON (sub.id) sub.customer_id, sub.public_id, sub.period_end, near.days
    FROM near
    JOIN subscriptions_subscription AS sub ON sub.id = near.subscription_id AND sub.period_end = near.period_end
    JOIN subscriptions_price AS price ON price.id = coalesce(sub.scheduled_price_id, sub.price_id)
    WHERE sub.status = 'active' AND sub.auto_renew AND NOT sub.cancel_requested AND price.amount > 0
        AND NOT EXISTS (SELECT FROM events_event AS event
            WHERE event.subject = sub.public_id AND event.type = %s AND (event.data->>'days')::int <= near.days
                AND (event.data->>'renews_at')::timestamptz = sub.period_end)
    ORDER BY sub.id, near.days
    LIMIT %s
"""
RULES = ", ".join(
    f"({days}, {shortest // timedelta(microseconds=1)}, {longest // timedelta(microseconds=1)})"
    for days, shortest, longest in DAYS_BEFORE
)
SQL = DUE.format(rules=RULES, shortest=MONTH // timedelta(microseconds=1))

# A trial is followed by a first payment also if the subscription does not renew after that. Found through the index
# trial_by_end.
TRIALS_DUE = """
    WITH near AS MATERIALIZED (
        SELECT sub.customer_id, sub.public_id, sub.trial_end, sub.price_id,
            CASE WHEN sub.trial_end - sub.started_at > interval '3 days' THEN 3 ELSE 1 END AS days
        FROM subscriptions_subscription AS sub
        WHERE sub.status = 'trialing' AND sub.trial_end > %s AND sub.trial_end <= %s + interval '3 days'
            AND NOT sub.cancel_requested
    )
    SELECT near.customer_id, near.public_id, near.trial_end, near.days
    FROM near
    JOIN subscriptions_price AS price ON price.id = near.price_id
    WHERE near.trial_end <= %s + near.days * interval '1 day' AND price.amount > 0
        AND NOT EXISTS (SELECT FROM events_event AS event
            WHERE event.subject = near.public_id AND event.type = %s
                AND (event.data->>'ends_at')::timestamptz = near.trial_end)
    LIMIT %s
"""

RENEWALS = Sweep(
    event=EVENT, instant="renews_at", lock=7_245_002, find=lambda now, most: run(SQL, [now, now, EVENT, most])
)
TRIALS = Sweep(
    event=TRIAL_EVENT,
    instant="ends_at",
    lock=7_245_004,
    find=lambda now, most: run(TRIALS_DUE, [now, now, now, TRIAL_EVENT, most]),
)


def run_due(*, now: datetime) -> int:
    """Record the reminders that are due at `now` and not recorded yet; return how many."""
    return RENEWALS.run(now=now) + TRIALS.run(now=now)


def has_reminder(days: int, length: timedelta) -> bool:
    """Return whether a renewal of such a period is reminded of so many days ahead."""
    return days in _days_before(length)


def next_after(days: int, length: timedelta) -> int:
    """Return how many days before the renewal the next reminder of such a period is due; zero after the last."""
    return reminders.next_after(days, _days_before(length))


def _days_before(length: timedelta) -> list[int]:
    return [days for days, shortest, longest in DAYS_BEFORE if shortest <= length < longest]
