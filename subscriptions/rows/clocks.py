"""The clock of each book of a batch: settled to when, due when, and what low-balance notice is in force."""

from collections.abc import Sequence
from datetime import timedelta

from subscriptions.engine.access import next_due
from subscriptions.engine.calendar import MICROSECOND
from subscriptions.engine.notices import Notice, notice
from subscriptions.rows.columns import columns, instant, run_on
from subscriptions.rows.reading import Shelved

CLOCK = columns("wallet bigint, customer bigint, fractions bigint, settled bigint, due bigint, noticed int")
UPSERT_BOOKS = f"""
    INSERT INTO subscriptions_book (wallet_id, customer_id, leftover, settled_at, due_at, noticed_hours, parked_reason)
    SELECT wallet, customer, fractions, {instant("settled")}, {instant("due")}, noticed, ''
    FROM :rows AS new
    ON CONFLICT (wallet_id) DO UPDATE
    SET leftover = excluded.leftover, settled_at = excluded.settled_at, due_at = excluded.due_at,
        noticed_hours = excluded.noticed_hours, parked_at = NULL, parked_reason = ''
"""  # noqa: S608 - column names only

NOTICE = columns("customer bigint, currency text, hours int, ends bigint, subs text, at bigint")
INSERT_NOTICES = f"""
    INSERT INTO accounts_event (customer_id, type, subject, data, effective_at)
    SELECT customer, 'wallet.low_balance', currency,
        jsonb_build_object('hours', hours, 'ends_at', to_char({instant("ends")} AT TIME ZONE 'UTC',
            'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'subscriptions', (SELECT jsonb_agg(public_id ORDER BY id)
            FROM subscriptions_subscription WHERE id = ANY(string_to_array(subs, '/')::bigint[]))),
        {instant("at")}
    FROM :rows AS new ORDER BY place
"""  # noqa: S608 - column names only


def update_books(shelf: Sequence[Shelved], meter_every: timedelta) -> None:
    """Move the clock of each book to where it was settled, say when it is due next, and give notice when it is low."""
    step = meter_every // MICROSECOND
    dues = [next_due(item.book, step) for item in shelf]
    notices = [notice(item.book, due) for item, due in zip(shelf, dues, strict=True)]
    rows = [
        (item.wallet_id, item.customer_id, item.book.leftover, item.book.at, look_at(item, due, note), note.hours)
        for item, due, note in zip(shelf, dues, notices, strict=True)
    ]
    run_on(UPSERT_BOOKS, CLOCK, rows)
    given = [
        (item.customer_id, item.currency, note.hours, note.end.ends_at,
         "/".join(str(sub.id) for sub in note.end.subs), item.book.at)
        for item, note in zip(shelf, notices, strict=True)
        if note.end and note.hours and (item.noticed_hours is None or note.hours < item.noticed_hours)
    ]  # fmt: skip
    if given:
        run_on(INSERT_NOTICES, NOTICE, given)


def look_at(item: Shelved, due: int | None, note: Notice) -> int | None:
    """Return when the book must be looked at next: always after where it stands, or a run would never end."""
    if due is not None and note.wake_at is not None:
        due = min(due, note.wake_at)
    assert due is None or due > (item.book.at or 0), (item.wallet_id, due)
    return due
