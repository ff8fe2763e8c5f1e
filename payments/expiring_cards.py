"""Which saved cards expire soon, of those that are charged while their customers are away: 30 and 7 days before."""

from datetime import datetime

from core.columns import run
from events import reminders
from events.reminders import Sweep

EVENT = "payment_method.expires_soon"
# Days before the card expires.
DAYS_BEFORE = (30, 7)

# Only cards that matter: their customer has agreed that they are charged, and has something that renews or runs.
DUE = """
    SELECT DISTINCT ON (method.id) method.customer_id, method.public_id, method.expires_on, ahead.days
    FROM unnest(%s::int[]) AS ahead (days)
    JOIN payments_paymentmethod AS method
        ON method.expires_on > %s AND method.expires_on <= %s + ahead.days * interval '1 day'
    WHERE method.removed_at IS NULL AND method.refused_at IS NULL
        AND EXISTS (SELECT FROM payments_consent AS consent
            WHERE consent.method_id = method.id AND consent.withdrawn_at IS NULL)
        AND EXISTS (SELECT FROM subscriptions_subscription AS sub
            WHERE sub.customer_id = method.customer_id AND sub.ended_at IS NULL AND sub.auto_renew
                AND NOT sub.cancel_requested AND sub.status <> 'pending')
        AND NOT EXISTS (SELECT FROM events_event AS event
            WHERE event.subject = method.public_id AND event.type = %s AND (event.data->>'days')::int <= ahead.days
                AND (event.data->>'expires_at')::timestamptz = method.expires_on)
    ORDER BY method.id, ahead.days
    LIMIT %s
"""
CARDS = Sweep(
    event=EVENT,
    instant="expires_at",
    lock=7_245_003,
    find=lambda now, most: run(DUE, [list(DAYS_BEFORE), now, now, EVENT, most]),
)


def run_due(*, now: datetime) -> int:
    """Record the reminders that are due at `now` and not recorded yet; return how many."""
    return CARDS.run(now=now)


def next_after(days: int) -> int:
    """Return how many days before the end the next reminder is due; zero after the last."""
    return reminders.next_after(days, DAYS_BEFORE)
