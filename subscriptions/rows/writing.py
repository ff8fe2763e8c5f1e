"""Writes down what a batch of books yields: ledger, charges, subscriptions, events, books. One statement each."""

from collections.abc import Sequence

from django.conf import settings

import ledger
from subscriptions.engine.calendar import to_datetime
from subscriptions.engine.journal import Entry
from subscriptions.rows.clocks import update_books
from subscriptions.rows.columns import array, columns, instant, run_on
from subscriptions.rows.events import insert_events
from subscriptions.rows.reading import Shelved


class AlreadyPosted(Exception):
    """The cause of a movement was posted before: nothing of this operation may be written."""


def write(shelf: Sequence[Shelved]) -> None:
    """Write every change of these books; the caller holds their locks and the transaction."""
    posted = post_entries(shelf)
    update_cuts(shelf, posted)
    insert_charges(shelf, posted)
    update_subscriptions(shelf)
    insert_events(shelf)
    insert_trials(shelf)
    update_books(shelf, settings.BILLING_METER_EVERY)


def post_entries(shelf: Sequence[Shelved]) -> dict[int, int]:
    """Post all entries in one call; return the transaction's id by the entry's identity."""
    entries = [(item, entry) for item in shelf for entry in item.book.journal.entries]
    if not entries:
        return {}
    results = ledger.post([ledger_entry(item, entry) for item, entry in entries])
    posted = {}
    for (_, entry), result in zip(entries, results, strict=True):
        if result.outcome is ledger.Outcome.EXISTS:
            raise AlreadyPosted(entry.key)
        assert result.id is not None
        assert result.balance_after == entry.balance, (entry, result)
        posted[id(entry)] = result.id
    return posted


def ledger_entry(item: Shelved, entry: Entry) -> ledger.Entry:
    """Name the two accounts and the cause."""
    wallet, counter = item.wallet_id, entry.counter
    sub = entry.sub
    key = entry.key or f"{entry.reason}:{sub and sub.id}:{entry.at}:{entry.number}"
    debit, credit = (wallet, counter) if entry.amount < 0 else (counter, wallet)
    return ledger.Entry(
        key, debit, credit, abs(entry.amount), item.currency, entry.reason, to_datetime(entry.at), entry.description,
        author=entry.author,
    )  # fmt: skip


CHARGE = columns(
    "s bigint, u bigint, p bigint, t bigint, a bigint, b bigint, e bigint, amount bigint, r1 bigint, r2 bigint,f bigint"
)
INSERT_CHARGES = f"""
    INSERT INTO subscriptions_charge (customer_id, subscription_id, price_id, transaction_id, period_start, period_end,
        ended_at, amount, remainder_before, remainder_after, refund_id, void_as)
    SELECT u, s, p, t, {instant("a")}, {instant("b")}, {instant("e")}, amount, r1, r2, f,
        CASE WHEN e = a THEN nextval(pg_get_serial_sequence('subscriptions_charge', 'id')) ELSE 0 END
    FROM :rows AS c ORDER BY place
"""  # noqa: S608 - column names only


def insert_charges(shelf: Sequence[Shelved], posted: dict[int, int]) -> None:
    """Insert the charges with the transactions that paid them."""
    charges = [
        (
            c.sub.id, item.customer_id, c.terms.id, posted[id(c.entry)] if c.entry else None, c.start, c.end,
            c.ended_at, c.amount, c.remainder_before, c.remainder_after, posted[id(c.refund)] if c.refund else None,
        )
        for item in shelf for c in item.book.journal.charges
    ]  # fmt: skip
    if charges:
        run_on(INSERT_CHARGES, CHARGE, charges)


# The latest charge of that start is the one in force: an earlier one with the same start ended as it began.
CUT = columns("s bigint, a bigint, e bigint, f bigint")
UPDATE_CUTS = f"""
    UPDATE subscriptions_charge AS charge
    SET ended_at = coalesce({instant("cut.e")}, charge.ended_at), refund_id = coalesce(cut.f, charge.refund_id),
        void_as = CASE WHEN cut.e = cut.a THEN charge.id ELSE charge.void_as END
    FROM :rows AS cut
    WHERE charge.id = (SELECT max(id) FROM subscriptions_charge
        WHERE subscription_id = cut.s AND period_start = {instant("cut.a")})
"""  # noqa: S608 - column names only


def update_cuts(shelf: Sequence[Shelved], posted: dict[int, int]) -> None:
    """End earlier charges where their use ended."""
    cuts = [
        (cut.sub.id, cut.start, cut.ended_at, posted[id(cut.refund)] if cut.refund else None)
        for item in shelf
        for cut in item.book.journal.cuts
    ]
    if cuts:
        run_on(UPDATE_CUTS, CUT, cuts)


STATE = columns(
    "id bigint, price bigint, renew bool, st text, anchor bigint, number int, start bigint, stop bigint, paid bigint,"
    "length bigint, rest bigint, trial bigint, grace bigint, billed bigint, fraction bigint, cancel bool,"
    "scheduled bigint, next bigint, started bigint, ended bigint, entries int"
)
# The ids are said twice: by a join alone, the planner reads the whole table for a batch that is a few hundredths of it.
UPDATE_SUBSCRIPTIONS = f"""
    UPDATE subscriptions_subscription AS row
    SET price_id = price, auto_renew = renew, status = st, anchor_at = {instant("anchor")}, period_number = number,
        period_start = {instant("start")}, period_end = {instant("stop")}, period_paid = paid, period_length = length,
        paused_left = rest, trial_end = {instant("trial")}, grace_end = {instant("grace")},
        billed_until = {instant("billed")}, remainder = fraction, cancel_requested = cancel,
        scheduled_price_id = scheduled, next_period_end = {instant("next")}, started_at = {instant("started")},
        ended_at = {instant("ended")}, entry_count = entries
    FROM :rows AS new WHERE row.id = new.id AND row.id = ANY(%s::bigint[])
"""  # noqa: S608 - column names only


def update_subscriptions(shelf: Sequence[Shelved]) -> None:
    """Write the state of every subscription that changed."""
    rows = [
        (
            s.id, s.terms.id, s.auto_renew, s.status, s.anchor, s.number, s.start, s.end, s.paid, s.length, s.left,
            s.trial_end, s.grace_end, s.billed_until, s.remainder, s.cancel_requested,
            s.scheduled.id if s.scheduled else None, s.next_end, s.started_at, s.ended_at, s.entry_count,
        )
        for item in shelf for s in item.book.subs if s.changed
    ]  # fmt: skip
    if rows:
        run_on(UPDATE_SUBSCRIPTIONS, STATE, rows, array(row[0] for row in rows))


TRIAL = columns("customer bigint, plan bigint, at bigint")
INSERT_TRIALS = f"""
    INSERT INTO subscriptions_trial (customer_id, plan_id, started_at)
    SELECT customer, plan, {instant("at")} FROM :rows AS trial
"""  # noqa: S608 - column names only


def insert_trials(shelf: Sequence[Shelved]) -> None:
    """Remember the trials that began, so that no customer gets one twice."""
    trials = [(item.customer_id, plan, at) for item in shelf for plan, at in item.book.journal.trials]
    if trials:
        run_on(INSERT_TRIALS, TRIAL, trials)
