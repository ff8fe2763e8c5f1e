"""Lock wallets and load their books: five statements for one wallet or for thousands."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from subscriptions.engine.book import Book
from subscriptions.engine.subscription import Status, Sub, Terms
from subscriptions.storage.columns import GIVEN, array, micros, run

STATUSES = {str(status): status for status in Status}

LOCK = f"""
    SELECT id, owner_id, currency, balance FROM ledger_account
    WHERE id = ANY({GIVEN}) AND kind = 'wallet' ORDER BY id FOR NO KEY UPDATE
"""  # noqa: S608 - ids come as a parameter
LOOK = f"""
    SELECT id, owner_id, currency, balance FROM ledger_account WHERE id = ANY({GIVEN}) AND kind = 'wallet'
"""  # noqa: S608 - ids come as a parameter
# The clock of each wallet, the debt beside it (looked up through the index, one by one), and whether staff have closed
# the account.
CLOCKS = f"""
    SELECT wallet.id, {micros("clock.settled_at")}, clock.noticed_hours, debt.id, -debt.balance, NOT owner.is_active
    FROM ledger_account AS wallet
    JOIN accounts_user AS owner ON owner.id = wallet.owner_id
    LEFT JOIN subscriptions_billingclock AS clock ON clock.wallet_id = wallet.id
    LEFT JOIN LATERAL (SELECT id, balance FROM ledger_account
        WHERE owner_id = wallet.owner_id AND currency = wallet.currency AND kind = 'debt' OFFSET 0) AS debt ON true
    WHERE wallet.id = ANY({GIVEN})
"""  # noqa: S608 - column names only
SUBSCRIPTIONS = f"""
    SELECT wallet_id, id, price_id, quantity, periods, auto_renew, status, {micros("anchor_at")}, period_number,
           {micros("period_start")}, {micros("period_end")}, period_paid, period_length, paused_left,
           {micros("trial_end")}, {micros("grace_end")}, {micros("billed_until")}, credit, cancel_requested,
           scheduled_price_id, scheduled_quantity, {micros("started_at")}, entry_count, period_net,
           {micros("charge_start")}, {micros("wait_end")}, is_held
    FROM subscriptions_subscription
    WHERE wallet_id = ANY({GIVEN}) AND ended_at IS NULL ORDER BY wallet_id, id
"""  # noqa: S608 - column names only
TERMS = f"""
    SELECT id, plan_id, amount, interval, interval_count, metered, trial_days, grace_days, keep_days,
           trial_quantity_max, can_pause, can_refund_unused
    FROM subscriptions_price WHERE id = ANY({GIVEN})
"""  # noqa: S608 - ids come as a parameter
TRIALS = f"SELECT customer_id, plan_id FROM subscriptions_trial WHERE customer_id = ANY({GIVEN})"  # noqa: S608
HOLD = "SELECT id FROM accounts_user WHERE id = %s FOR NO KEY UPDATE"


@dataclass(slots=True)
class LoadedBook:
    """A book with the wallet and customer it belongs to."""

    wallet_id: int
    customer_id: int
    currency: str
    # The low-balance notice in force (hours before the end), None if there is none.
    noticed_hours: int | None
    # The account of the debt, None until there is one.
    debt_id: int | None
    book: Book


def lock(wallet_ids: Sequence[int]) -> list[LoadedBook]:
    """Lock the wallets in ascending id and load their books.

    The books are read after the lock, so they include what the transactions waited for have written.
    """
    return load(run(LOCK, [array(wallet_ids)]))


def look(wallet_ids: Sequence[int]) -> list[LoadedBook]:
    """Load the books without a lock, for reading only."""
    return load(run(LOOK, [array(wallet_ids)]))


def load(accounts: list[tuple[Any, ...]]) -> list[LoadedBook]:
    """Load the books of these wallet rows (id, owner, currency, balance)."""
    ids = array(row[0] for row in accounts)
    clocks = {row[0]: row[1:] for row in run(CLOCKS, [ids])}
    rows = run(SUBSCRIPTIONS, [ids])
    terms = terms_of({row[2] for row in rows} | {row[19] for row in rows if row[19] is not None})
    subs: dict[Any, list[Sub]] = {}
    for row in rows:
        subs.setdefault(row[0], []).append(sub_of(row, terms))
    tried: dict[Any, set[Any]] = {}
    for customer_id, plan_id in run(TRIALS, [array({row[1] for row in accounts})]):
        tried.setdefault(customer_id, set()).add(plan_id)
    loaded, order_days = [], settings.ORDER_DAYS
    for wallet_id, owner_id, currency, balance in accounts:
        settled_at, noticed_hours, debt_id, debt, is_blocked = clocks[wallet_id]
        book = Book(
            balance, subs.get(wallet_id, []), tried.get(owner_id, set()), settled_at, debt or 0, order_days, is_blocked
        )
        loaded.append(LoadedBook(wallet_id, owner_id, currency, noticed_hours, debt_id, book))
    return loaded


def terms_of(price_ids: Iterable[Any]) -> dict[Any, Terms]:
    """Return the terms of these prices by price id."""
    return {row[0]: Terms(*row) for row in run(TERMS, [array(price_ids)])}


def hold_trials(customer_id: int) -> set[Any]:
    """Lock the customer's row and return the plans they have tried, so that two wallets cannot start the same trial.

    Take this lock after the wallet's lock, never before it, and only where a trial may start.
    """
    run(HOLD, [customer_id])
    return {plan_id for _, plan_id in run(TRIALS, [array([customer_id])])}


def sub_of(row: tuple[Any, ...], terms: dict[Any, Terms]) -> Sub:
    """Return the engine's subscription of a row of SUBSCRIPTIONS."""
    return Sub(
        id=row[1], terms=terms[row[2]], quantity=row[3], periods=row[4], auto_renew=row[5], status=STATUSES[row[6]],
        anchor=row[7], number=row[8], start=row[9], end=row[10], paid=row[11],
        length=row[12], left=row[13], trial_end=row[14], grace_end=row[15],
        billed_until=row[16], credit=row[17], cancel_requested=row[18],
        scheduled=terms[row[19]] if row[19] is not None else None, scheduled_quantity=row[20],
        started_at=row[21], entry_count=row[22], net=row[23], charge_start=row[24], wait_end=row[25], is_held=row[26],
    )  # fmt: skip
