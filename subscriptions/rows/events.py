"""The subscription events of a batch, into the event log."""

from collections.abc import Sequence

from subscriptions.rows.columns import columns, instant, run_on
from subscriptions.rows.reading import Shelved

EVENT = columns("sub bigint, customer bigint, type text, before text, after text, at bigint, price bigint, renew bool")
INSERT_EVENTS = f"""
    INSERT INTO accounts_event (customer_id, type, subject, data, effective_at)
    SELECT event.customer, event.type, (SELECT public_id FROM subscriptions_subscription WHERE id = event.sub),
        jsonb_strip_nulls(jsonb_build_object('from', event.before, 'to', event.after, 'auto_renew', event.renew, 'plan',
            (SELECT code FROM subscriptions_price AS price JOIN subscriptions_plan AS plan ON plan.id = price.plan_id
             WHERE price.id = event.price))), {instant("event.at")}
    FROM :rows AS event ORDER BY place
"""  # noqa: S608 - column names only


def insert_events(shelf: Sequence[Shelved]) -> None:
    """Log what happened to each subscription, in order."""
    events = [
        (
            event.sub.id, item.customer_id, event.type, event.before, event.after, event.at,
            event.terms.id if event.terms else None, event.auto_renew,
        )
        for item in shelf
        for event in item.book.journal.events
    ]  # fmt: skip
    if events:
        run_on(INSERT_EVENTS, EVENT, events)
