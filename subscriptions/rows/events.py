"""The subscription events of a batch, into the event log."""

from collections.abc import Sequence

from subscriptions.rows.columns import array, instant, run
from subscriptions.rows.reading import Shelved

INSERT_EVENTS = f"""
    INSERT INTO accounts_event (customer_id, type, subject, data, effective_at)
    SELECT event.customer, event.type, (SELECT public_id FROM subscriptions_subscription WHERE id = event.sub),
        jsonb_build_object('from', event.before, 'to', event.after), {instant("event.at")}
    FROM unnest(%s::bigint[], %s::text[], %s::bigint[], %s::text[], %s::text[], %s::bigint[])
        WITH ORDINALITY AS event(customer, type, sub, before, after, at, place)
    ORDER BY event.place
"""  # noqa: S608 - column names only


def insert_events(shelf: Sequence[Shelved]) -> None:
    """Log what happened to each subscription, in order."""
    events = [
        (item.customer_id, event.type, event.sub.id, event.before, event.after, event.at)
        for item in shelf
        for event in item.book.journal.events
    ]
    if events:
        run(INSERT_EVENTS, map(array, zip(*events, strict=True)))
