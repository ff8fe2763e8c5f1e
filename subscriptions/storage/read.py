"""Lock wallets and load their books, in five statements for one or thousands; or look at them in one statement."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from core import prepared_statements
from core.columns import GIVEN, array, ask, micros, pipeline, run
from subscriptions.engine.book import Book
from subscriptions.engine.subscription import Status, Sub, Terms

STATUSES = {str(status): status for status in Status}

LOCK = f"""
    SELECT id, owner_id, currency, balance FROM ledger_account
    WHERE id = ANY({GIVEN}) AND kind = 'wallet' ORDER BY id FOR NO KEY UPDATE
"""  # noqa: S608 - ids come as a parameter
# The clock of each wallet, the debt beside it (looked up through the index, one by one), and whether staff have closed
# the account.
CLOCK = f"{micros('clock.settled_at')}, clock.noticed_hours, debt.id, -debt.balance"
# Looked up for each wallet, never a place to begin from.
BLOCKED = "(SELECT NOT is_active FROM accounts_user WHERE id = wallet.owner_id)"
BESIDE = """
    LEFT JOIN subscriptions_billingclock AS clock ON clock.wallet_id = wallet.id
    LEFT JOIN LATERAL (SELECT id, balance FROM ledger_account
        WHERE owner_id = wallet.owner_id AND currency = wallet.currency AND kind = 'debt' OFFSET 0) AS debt ON true
"""
CLOCKS = f"""
    SELECT wallet.id, {CLOCK}, {BLOCKED} FROM ledger_account AS wallet {BESIDE} WHERE wallet.id = ANY({GIVEN})
"""  # noqa: S608 - column names only
# In the order of the fields of Sub.
SUBSCRIPTION = f"""
    id, price_id, quantity, periods, auto_renew, status, scheduled_price_id, scheduled_quantity, {micros("anchor_at")},
    period_number, {micros("period_start")}, {micros("period_end")}, period_paid, period_length, period_net,
    {micros("charge_start")}, paused_left, {micros("trial_end")}, {micros("grace_end")}, {micros("wait_end")},
    {micros("billed_until")}, credit, cancel_requested, is_held, {micros("started_at")}, entry_count, public_id
"""
SUBSCRIPTIONS = f"""
    SELECT {SUBSCRIPTION}, wallet_id FROM subscriptions_subscription
    WHERE wallet_id = ANY({GIVEN}) AND ended_at IS NULL ORDER BY wallet_id, id
"""  # noqa: S608 - column names only
PRICE = """
    id, plan_id, amount, interval, interval_count, metered, trial_days, grace_days, keep_days, trial_quantity_max,
    can_pause, can_refund_unused
"""
TERMS = f"SELECT {PRICE} FROM subscriptions_price WHERE id = ANY({GIVEN})"  # noqa: S608 - column names only
# The plans that a customer has tried, or somebody whose address is another spelling of the same mailbox.
TRIED = """
    SELECT plan_id FROM subscriptions_trial WHERE customer_id = owner.id
    UNION SELECT plan_id FROM subscriptions_trial WHERE mailbox = mailbox_of(owner.email) AND mailbox <> ''
"""
TRIALS = f"""
    SELECT owner.id, trial.plan_id FROM accounts_user AS owner JOIN LATERAL ({TRIED}) AS trial ON true
    WHERE owner.id = ANY({GIVEN})
"""  # noqa: S608 - ids come as a parameter
# Everything about a wallet in one statement, so that no other session's commit falls in between.
WHOLE = f"""
    wallet.id, wallet.owner_id, wallet.currency, wallet.balance, {CLOCK}, {BLOCKED},
        (SELECT coalesce(json_agg(json_build_array({SUBSCRIPTION}) ORDER BY id), '[]') FROM subscriptions_subscription
         WHERE wallet_id = wallet.id AND ended_at IS NULL),
        (SELECT coalesce(json_agg(json_build_array({PRICE})), '[]') FROM subscriptions_price WHERE id IN (
            SELECT unnest(ARRAY[price_id, scheduled_price_id]) FROM subscriptions_subscription
            WHERE wallet_id = wallet.id AND ended_at IS NULL)),
        (SELECT coalesce(json_agg(trial.plan_id), '[]') FROM accounts_user AS owner
         JOIN LATERAL ({TRIED}) AS trial ON true WHERE owner.id = wallet.owner_id)
"""  # noqa: S608 - column names only
LOOK = f"""
    SELECT {WHOLE} FROM ledger_account AS wallet {BESIDE} WHERE wallet.id = ANY({GIVEN}) AND wallet.kind = 'wallet'
"""  # noqa: S608 - ids come as a parameter
LOOK_OWNED = f"""
    SELECT {WHOLE} FROM ledger_account AS wallet {BESIDE}
    WHERE wallet.owner_id = %s AND wallet.kind = 'wallet' AND wallet.currency = coalesce(%s, wallet.currency)
"""  # noqa: S608 - column names only
# The wallet of one subscription of one customer, and what the subscription's own row says, which counts once it ended.
LOOK_BEHIND = f"""
    SELECT {WHOLE}, wanted.id, wanted.status FROM subscriptions_subscription AS wanted
    JOIN ledger_account AS wallet ON wallet.id = wanted.wallet_id {BESIDE}
    WHERE wanted.public_id = %s AND wanted.customer_id = %s
"""  # noqa: S608 - column names only
HOLD = "SELECT id FROM accounts_user WHERE id = %s FOR NO KEY UPDATE"
# Until the end of the transaction, beside the row: the mailbox may belong to several customers.
HOLD_MAILBOX = "SELECT pg_advisory_xact_lock(hashtextextended(mailbox_of(email), 0)) FROM accounts_user WHERE id = %s"


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
    """Load the books without a lock, for reading only, as they are at one instant."""
    return [_whole_book(*row) for row in run(LOOK, [array(wallet_ids)])]


def look_owned(customer_id: int, currency: str | None = None) -> list[LoadedBook]:
    """Load the books of a customer in the same way, by default those in all currencies."""
    return [_whole_book(*row) for row in prepared_statements.run(LOOK_OWNED, [customer_id, currency])]


def look_behind(public_id: str, customer_id: int) -> tuple[LoadedBook, int, str] | None:
    """Load the book of a customer's subscription in the same way, with the primary key and the status of its row.

    Return None if the customer has no such subscription.
    """
    rows = prepared_statements.run(LOOK_BEHIND, [public_id, customer_id])
    return (_whole_book(*rows[0][:-2]), *rows[0][-2:]) if rows else None


def _whole_book(*row: Any) -> LoadedBook:
    """Return the book of a row with the columns of WHOLE."""
    *_, sub_rows, prices, tried = row
    terms = {price[0]: Terms(*price) for price in prices}
    return loaded_book(row[:4], row[4:9], [sub_of(sub, terms) for sub in sub_rows], set(tried))


def load(accounts: list[tuple[Any, ...]]) -> list[LoadedBook]:
    """Load the books of these locked wallet rows (id, owner, currency, balance)."""
    with pipeline():
        return ask_for(accounts, {})()


def ask_for(accounts: Sequence[tuple[Any, ...]], terms: dict[Any, Terms]) -> Callable[[], list[LoadedBook]]:
    """Ask for the books of these locked wallet rows, and return a function that waits for them.

    `terms` are those that the caller knows already, by price id. What the books need besides is looked up and added.
    """
    ids = array(row[0] for row in accounts)
    owners = array({row[1] for row in accounts})
    clock_rows, sub_rows, trial_rows = ask(CLOCKS, [ids]), ask(SUBSCRIPTIONS, [ids]), ask(TRIALS, [owners])

    def books() -> list[LoadedBook]:
        clocks = {row[0]: row[1:] for row in clock_rows()}
        rows = sub_rows()
        tried: dict[Any, set[Any]] = {}
        for customer_id, plan_id in trial_rows():
            tried.setdefault(customer_id, set()).add(plan_id)
        if unknown := {price_id for row in rows for price_id in (row[1], row[6])} - terms.keys() - {None}:
            terms.update(terms_of(unknown))
        subs: dict[Any, list[Sub]] = {}
        for row in rows:
            subs.setdefault(row[-1], []).append(sub_of(row[:-1], terms))
        return [
            loaded_book(wallet, clocks[wallet[0]], subs.get(wallet[0], []), tried.get(wallet[1], set()))
            for wallet in accounts
        ]

    return books


def loaded_book(wallet: Sequence[Any], clock: Sequence[Any], subs: list[Sub], tried: set[Any]) -> LoadedBook:
    """Return the book of a wallet row with its clock, subscriptions and trials."""
    wallet_id, owner_id, currency, balance = wallet
    settled_at, noticed_hours, debt_id, debt, is_blocked = clock
    book = Book(balance, subs, tried, settled_at, debt or 0, settings.ORDER_DAYS, is_blocked)
    return LoadedBook(wallet_id, owner_id, currency, noticed_hours, debt_id, book)


def terms_of(price_ids: Iterable[Any]) -> dict[Any, Terms]:
    """Return the terms of these prices by price id."""
    return {row[0]: Terms(*row) for row in run(TERMS, [array(price_ids)])}


def hold_trials(customer_id: int) -> set[Any]:
    """Lock the customer's row and mailbox and return the plans tried, so that no trial of a plan starts twice.

    Take these locks after the wallet's lock, never before it, and only where a trial may start.
    """
    run(HOLD, [customer_id])
    run(HOLD_MAILBOX, [customer_id])
    return {plan_id for _, plan_id in run(TRIALS, [array([customer_id])])}


def sub_of(row: Sequence[Any], terms: Mapping[Any, Terms]) -> Sub:
    """Return the engine's subscription of a row with the columns of SUBSCRIPTION."""
    id_, price_id, quantity, periods, auto_renew, status, scheduled_id, *rest = row
    scheduled = None if scheduled_id is None else terms[scheduled_id]
    return Sub(id_, terms[price_id], quantity, periods, auto_renew, STATUSES[status], scheduled, *rest)


def pk_of(key: object) -> int:
    """Return the primary key of a row that the engine knows by it."""
    assert isinstance(key, int)
    return key
