"""Save the journals of a batch of books: one statement for each table, from the ledger to the billing clocks."""

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings

from core.columns import GIVEN, array, columns, pipeline, run, send_on
from events import outbox
from ledger.money import Money
from subscriptions.engine.access import next_due
from subscriptions.engine.book import Event
from subscriptions.engine.calendar import MICROSECOND, to_datetime
from subscriptions.engine.runway import Notice, notice
from subscriptions.storage import movements
from subscriptions.storage.read import LoadedBook, pk_of


def write(loaded: Sequence[LoadedBook]) -> None:
    """Save every change of these books; the caller holds their locks and the transaction."""
    movements.post(loaded, {})()
    with pipeline():
        save(loaded, [])


def save(loaded: Sequence[LoadedBook], postings: Iterable[Callable[[], None]]) -> None:
    """Save the changes of these books outside the ledger, within `pipeline`.

    `postings` wait for the ids of the transactions, see `movements.post`: what needs no id is sent before.
    """
    update_subscriptions(loaded)
    insert_events(loaded)
    record_debts(loaded)
    insert_trials(loaded)
    update_clocks(loaded, settings.BILLING_METER_EVERY)
    for give_ids in postings:
        give_ids()
    update_cuts(loaded)
    insert_charges(loaded)


CHARGE = columns(
    "s bigint, u bigint, p bigint, t bigint, a instant, b instant, e instant, amount bigint, q int, c1 bigint,"
    "c2 bigint, f bigint, d bigint, whole bigint"
)
INSERT_CHARGES = """
    INSERT INTO subscriptions_charge (customer_id, subscription_id, price_id, transaction_id, period_start, period_end,
        ended_at, amount, quantity, credit_before, credit_after, refund_id, debt_transaction_id, full_length,
        void_as)
    SELECT u, s, p, t, a, b, e, amount, q, c1, c2, f, d, whole,
        CASE WHEN e = a THEN nextval(pg_get_serial_sequence('subscriptions_charge', 'id')) ELSE 0 END
    FROM :rows AS c ORDER BY place
"""


def insert_charges(loaded: Sequence[LoadedBook]) -> None:
    """Insert the charges with their transactions."""
    charges = [
        (
            c.sub.id, item.customer_id, c.terms.id, c.movement and c.movement.transaction_id, c.start, c.end,
            c.ended_at, c.amount, c.quantity, c.credit_before, c.credit_after,
            c.refund and c.refund.transaction_id, c.owed and c.owed.transaction_id, c.full_length,
        )
        for item in loaded for c in item.book.journal.charges
    ]  # fmt: skip
    if charges:
        send_on(INSERT_CHARGES, CHARGE, charges)


# Several charges may have the same start; only the last of them has a span, the others ended as they began.
CUT = columns("s bigint, a instant, e instant, f bigint")
UPDATE_CUTS = """
    UPDATE subscriptions_charge AS charge
    SET ended_at = coalesce(cut.e, charge.ended_at), refund_id = coalesce(cut.f, charge.refund_id),
        void_as = CASE WHEN cut.e = cut.a THEN charge.id ELSE charge.void_as END
    FROM :rows AS cut
    WHERE charge.id = (SELECT max(id) FROM subscriptions_charge
        WHERE subscription_id = cut.s AND period_start = cut.a)
"""


def update_cuts(loaded: Sequence[LoadedBook]) -> None:
    """Set the early end and the refund of saved charges."""
    cuts = [
        (cut.sub.id, cut.start, cut.ended_at, cut.refund and cut.refund.transaction_id)
        for item in loaded
        for cut in item.book.journal.cuts
    ]
    if cuts:
        send_on(UPDATE_CUTS, CUT, cuts)


STATE = columns(
    "id bigint, price bigint, renew bool, st text, anchor instant, number int, start instant, stop instant,"
    "paid bigint, length bigint, rest bigint, trial instant, grace instant, billed instant, fraction bigint,"
    "cancel bool, scheduled bigint, more int, started instant, ended instant, movements int, amount int, net bigint,"
    "since instant, waits instant, held bool"
)
# The ids are passed twice: with a join alone the planner scans the whole table for a batch of a few percent of it.
UPDATE_SUBSCRIPTIONS = """
    UPDATE subscriptions_subscription AS row
    SET price_id = price, auto_renew = renew, status = st, anchor_at = anchor, period_number = number,
        period_start = start, period_end = stop, period_paid = paid, period_length = length,
        paused_left = rest, trial_end = trial, grace_end = grace,
        billed_until = billed, credit = fraction, cancel_requested = cancel,
        scheduled_price_id = scheduled, scheduled_quantity = more, started_at = started,
        ended_at = ended, entry_count = movements, quantity = amount, period_net = net,
        charge_start = since, wait_end = waits, is_held = held
    FROM :rows AS new WHERE row.id = new.id AND row.id = ANY(%s::bigint[])
"""


def update_subscriptions(loaded: Sequence[LoadedBook]) -> None:
    """Update the row of every changed subscription."""
    rows = [
        (
            s.id, s.terms.id, s.auto_renew, s.status, s.anchor, s.number, s.start, s.end, s.paid, s.length, s.left,
            s.trial_end, s.grace_end, s.billed_until, s.credit, s.cancel_requested,
            s.scheduled.id if s.scheduled else None, s.scheduled_quantity, s.started_at, s.ended_at, s.entry_count,
            s.quantity, s.net, s.charge_start, s.wait_end, s.is_held,
        )
        for item in loaded for s in item.book.subs if s.changed
    ]  # fmt: skip
    if rows:
        send_on(UPDATE_SUBSCRIPTIONS, STATE, rows, array(row[0] for row in rows))


def record_debts(loaded: Sequence[LoadedBook]) -> None:
    """Record as events of wallets that a debt arose where there was none, or was paid or written off as a whole."""
    rows = []
    for item in loaded:
        if item.debt_id is None:
            # There never was one. It is so of nearly all wallets.
            continue
        owed = [each for each in item.book.journal.movements if each.on_debt or each.counter == "debt"]
        more = sum(each.amount for each in owed)
        before = item.book.debt - more
        if owed and (before > 0) is not (item.book.debt > 0):
            kind, amount = ("arose", item.book.debt) if item.book.debt else ("paid", before)
            data: dict[str, Any] = {
                "amount": {"value": Money(amount, item.currency).plain(), "currency": item.currency}
            }
            if owed[-1].reason == "write_off":
                kind, data["reason"] = "written_off", owed[-1].description
            rows.append(
                outbox.Row(item.customer_id, f"wallet.debt_{kind}", item.currency, owed[-1].at, json.dumps(data))
            )
    outbox.record_rows(rows)


TRIAL = columns("customer bigint, plan bigint, at instant")
INSERT_TRIALS = """
    INSERT INTO subscriptions_trial (customer_id, plan_id, started_at, mailbox)
    SELECT customer, plan, at, mailbox_of(owner.email)
      FROM :rows AS trial JOIN accounts_user AS owner ON owner.id = trial.customer
"""


def insert_trials(loaded: Sequence[LoadedBook]) -> None:
    """Record the trials that started, so that no customer gets one twice."""
    trials = [(item.customer_id, plan, at) for item in loaded for plan, at in item.book.journal.trials]
    if trials:
        send_on(INSERT_TRIALS, TRIAL, trials)


PLANS = f"""
    SELECT price.id, plan.code FROM subscriptions_price AS price JOIN subscriptions_plan AS plan ON plan.id = plan_id
    WHERE price.id = ANY({GIVEN})
"""  # noqa: S608 - ids come as a parameter


def insert_events(loaded: Sequence[LoadedBook]) -> None:
    """Record the events of the subscriptions, in order. Most of a batch say the same, which is put into JSON once."""
    plans = plan_codes(loaded)
    said: dict[tuple[Any, ...], str] = {}
    rows = []
    for item in loaded:
        for event in item.book.journal.events:
            about = (event.before, event.after, event.terms, event.quantity, event.auto_renew, event.until)
            data = said.get(about)
            if data is None:
                data = said[about] = json.dumps(event_data(event, plans))
            rows.append((item.customer_id, event.type, event.sub.public_id, event.at, data))
    outbox.record_rows(rows)


def event_data(event: Event, plans: dict[Any, str]) -> dict[str, Any]:
    """Return the data of an event: the status before and after, and the plan, quantity, setting or end it is about."""
    about = {
        "plan": plans[event.terms.id] if event.terms else None,
        "quantity": event.quantity,
        "auto_renew": event.auto_renew,
        "until": None if event.until is None else written(event.until),
    }
    return {"from": event.before, "to": event.after} | {
        name: value for name, value in about.items() if value is not None
    }


def plan_codes(loaded: Sequence[LoadedBook]) -> dict[Any, str]:
    """Return the codes of the plans that the events are about, by price id."""
    prices = {event.terms.id for item in loaded for event in item.book.journal.events if event.terms}
    return dict(run(PLANS, [array(prices)])) if prices else {}


CLOCK = columns("wallet bigint, customer bigint, settled instant, due instant, noticed int")
UPSERT_CLOCKS = """
    INSERT INTO subscriptions_billingclock
        (wallet_id, customer_id, settled_at, due_at, noticed_hours, parked_reason)
    SELECT wallet, customer, settled, due, noticed, ''
    FROM :rows AS new
    ON CONFLICT (wallet_id) DO UPDATE
    SET settled_at = excluded.settled_at, due_at = excluded.due_at,
        noticed_hours = excluded.noticed_hours, parked_at = NULL, parked_reason = '', slow_at = NULL
"""


def update_clocks(loaded: Sequence[LoadedBook], meter_every: timedelta) -> None:
    """Save how far each book is settled and when it is due next; record a low-balance notice where one is due."""
    step = meter_every // MICROSECOND
    clocks, notices = [], []
    for item in loaded:
        due = next_due(item.book, step)
        note = notice(item.book, due)
        clocks.append((item.wallet_id, item.customer_id, item.book.at, wakes_at(item, due, note), note.hours))
        if given := low_balance(item, note):
            notices.append(given)
    send_on(UPSERT_CLOCKS, CLOCK, clocks)
    outbox.record_rows(notices)


def wakes_at(item: LoadedBook, due: int | None, note: Notice) -> int | None:
    """Return when the book is due next: always later than its settled instant, or a run would never end."""
    if due is not None and note.wake_at is not None:
        due = min(due, note.wake_at)
    assert due is None or due > (item.book.at or 0), (item.wallet_id, due)
    return due


def low_balance(item: LoadedBook, note: Notice) -> outbox.Row | None:
    """Return the low-balance notice that is due for a book, None if there is none or a tighter one was given before."""
    end, hours, at = note.end, note.hours, item.book.at
    if end is None or not hours or (item.noticed_hours is not None and hours >= item.noticed_hours):
        return None
    assert at is not None
    names = {pk_of(sub.id): sub.public_id for sub in end.subs}
    data = {
        "hours": hours,
        "ends_at": written(end.ends_at),
        "subscriptions": [names[pk] for pk in sorted(names)],
    }
    return outbox.Row(item.customer_id, "wallet.low_balance", item.currency, at, json.dumps(data))


def written(at: int) -> str:
    """Return an instant as the data of events have it."""
    return to_datetime(at).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
