"""`post` and `post_locked`, the only code that writes transactions. The number of statements is the same for any batch.

A single entry is first tried in one statement. Otherwise: lock the wallets, then look up the keys in a later statement
(which sees what a concurrent session committed meanwhile), decide in ledger.batch, insert. The trigger on transactions
updates the balances and checks everything again.

`post_locked` only inserts: its caller holds the locks and has decided.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

from django.db import IntegrityError, connection, transaction

from core.columns import INSTANT, array, ask_on, columns, run_on, texts
from core.retry import retried
from ledger.batch import (
    LARGEST,
    SYSTEM_KINDS,
    AccountState,
    Batch,
    Entry,
    KeyReused,
    LockedEntry,
    Outcome,
    Posted,
    Row,
    Stored,
    UnknownAccount,
)

# Rows are locked in order of id, so that two batches never deadlock. Balances are read after the lock is taken.
# `moved_at` is returned only if it is later than the earliest entry, the only case in which it matters: parsing
# thousands of timestamps takes longer than everything else. The ids are wrapped in a subquery, or the planner would
# estimate each of thousands.
LOCK = """
    SELECT id, kind, currency, owner_id, balance, CASE WHEN moved_at > %s THEN moved_at END FROM ledger_account
     WHERE id = ANY((SELECT %s::bigint[])::bigint[]) AND owner_id IS NOT NULL ORDER BY id FOR NO KEY UPDATE
"""
SYSTEM = """
    SELECT id, kind, currency, code FROM ledger_account
     WHERE owner_id IS NULL
       AND (id = ANY(%s::bigint[]) OR (code, currency) IN (SELECT * FROM unnest(%s::text[], %s::text[])))
"""
OPEN = """
    INSERT INTO ledger_account (kind, code, currency)
    SELECT split_part(code, ':', 1), code, currency FROM unnest(%s::text[], %s::text[]) AS wanted (code, currency)
    ON CONFLICT DO NOTHING
"""
# Looks each key up through the unique index: with thousands of keys the planner would otherwise read the whole table.
FIND = """
    SELECT found.* FROM unnest(%s::text[]) AS wanted (key) CROSS JOIN LATERAL (
        SELECT key, id, debit_id, credit_id, amount, currency, reason, reverses_id, balance_after
          FROM ledger_transaction WHERE key = wanted.key OFFSET 0) AS found
"""
# In the order of ledger.batch.Row, without `place`. The array of rows keeps its order, so ids follow the order of the
# entries.
WORDS = """key text, debit bigint, credit bigint, amount bigint, currency text, reason text, at {instant},
    description text, together uuid, reverses bigint, author bigint, wallet bigint, after bigint, customer bigint"""
COLUMNS = columns(WORDS.format(instant="timestamptz"))
LOCKED_COLUMNS = columns(WORDS.format(instant=INSTANT))
INSERT = """
    INSERT INTO ledger_transaction (key, debit_id, credit_id, amount, currency, reason, effective_at, description,
        "group", reverses_id, author_id, wallet_id, balance_after, customer_id)
    SELECT key, debit, credit, amount, currency, reason, at, description, together, reverses, author, wallet, after,
        customer
    FROM :rows AS moved RETURNING id
"""
# The wallet's balance is read after the lock is taken. If another session inserts the same key at the same time, this
# statement waits for it and then inserts nothing.
POST = """
    WITH wallet AS (
        SELECT id, owner_id, balance, moved_at FROM ledger_account
         WHERE id = %(wallet)s AND kind = 'wallet' AND currency = %(currency)s FOR NO KEY UPDATE
    )
    INSERT INTO ledger_transaction (key, debit_id, credit_id, amount, currency, reason, effective_at, description,
        "group", reverses_id, author_id, wallet_id, balance_after, customer_id)
    SELECT %(key)s, CASE WHEN %(out)s THEN wallet.id ELSE system.id END,
        CASE WHEN %(out)s THEN system.id ELSE wallet.id END, %(amount)s, %(currency)s, %(reason)s, %(effective_at)s,
        %(description)s, %(group)s::uuid, %(reverses)s::bigint, %(author)s::bigint, wallet.id,
        wallet.balance + %(change)s, wallet.owner_id
      FROM wallet, ledger_account AS system
     WHERE system.owner_id IS NULL AND system.code = %(system)s AND system.currency = %(currency)s
       AND wallet.balance BETWEEN %(least)s AND %(most)s
       AND (wallet.moved_at IS NULL OR wallet.moved_at <= %(effective_at)s)
    ON CONFLICT (key) DO NOTHING
    RETURNING id, balance_after
"""


@retried
def post(entries: Sequence[Entry]) -> list[Posted]:
    """Post the entries in order, each once, and return the outcome of each.

    Runs inside the caller's transaction if there is one. Otherwise it opens its own, and runs again after a
    serialization failure, deadlock or lock timeout. Raise KeyReused, CurrencyMismatch, UnknownAccount, OutOfOrder or
    ValueError before anything is written.
    """
    if not entries:
        return []
    if len(entries) == 1 and (posted := _post_single(entries[0])):
        return [posted]
    whole = nullcontext() if connection.in_atomic_block else transaction.atomic()
    with whole, connection.cursor() as cursor:
        accounts = _lock_accounts(cursor, entries)
        cursor.execute(FIND, [texts([entry.key for entry in entries])])
        stored = {key: Stored(*rest) for key, *rest in cursor.fetchall()}
        batch = Batch(entries, accounts, stored)
        batch.decide()
        ids = _insert(list(batch.rows.values()))
    return [_result(place, decision, ids) for place, decision in enumerate(batch.decisions)]


def post_locked(entries: Sequence[LockedEntry | tuple[Any, ...]]) -> Callable[[], list[int]]:
    """Insert these transactions in order, in one statement, and return a function that waits for their ids.

    Plain tuples work too. Within `core.columns.pipeline` the caller may go on until it needs the ids.

    For a caller that has locked the wallets and read their balances in this transaction, so that nothing is locked or
    looked up again. The database's own rules refuse with IntegrityError whatever does not follow from the wallets, such
    as a balance that was read before another session moved it. The wait raises KeyReused for a key posted before. After
    an error the caller's transaction can only be rolled back: nothing was written.
    """
    if not entries:
        return list
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("no wallet is locked outside a transaction")
    with _each_cause_once():
        rows = ask_on(INSERT, LOCKED_COLUMNS, entries)

    def ids() -> list[int]:
        with _each_cause_once():
            return [id_ for (id_,) in rows()]

    return ids


@contextmanager
def _each_cause_once() -> Iterator[None]:
    """Raise KeyReused instead of the database's error about a key that was posted before."""
    try:
        yield
    except IntegrityError as error:
        if violated(error) == "same_cause_posts_once":
            raise KeyReused(f"a cause was posted before: {error}") from error
        raise


def violated(error: IntegrityError) -> str | None:
    """Return the name of the constraint that an error is about."""
    return getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)


def system_accounts(names: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """Return the ids of system accounts by (code, currency), opening those that are missing."""
    codes = set(names)
    with connection.cursor() as cursor:
        return {name: account.id for name, account in _named_accounts(cursor, set(), codes).items() if name in codes}


def _post_single(entry: Entry) -> Posted | None:
    """Post an entry between a wallet and an open system account in one statement.

    Return None and do nothing for any other entry, or if the wallet is short, the key exists or the date is too early.
    """
    out = isinstance(entry.debit, int)
    wallet, system = (entry.debit, entry.credit) if out else (entry.credit, entry.debit)
    if not (isinstance(wallet, int) and isinstance(system, str) and _is_valid(entry)):
        return None
    least, most = (entry.amount, LARGEST) if out else (0, LARGEST - entry.amount)
    values = entry._asdict() | {
        "wallet": wallet, "system": system, "out": out, "least": least, "most": most,
        "change": -entry.amount if out else entry.amount,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(POST, values)
        row = cursor.fetchone()
    return Posted(Outcome.POSTED, *row) if row else None


def _is_valid(entry: Entry) -> bool:
    """Return whether amount and date are valid; for an invalid entry, ledger.batch raises the error."""
    return type(entry.amount) is int and 0 < entry.amount <= LARGEST and entry.effective_at.tzinfo is not None


def _lock_accounts(cursor: Any, entries: Sequence[Entry]) -> dict[int | tuple[str, str], AccountState]:
    """Lock the entries' wallets and debts and read their system accounts, opening those that are missing."""
    names = {(name, entry.currency) for entry in entries for name in (entry.debit, entry.credit)}
    ids = {name for name, _ in names if not isinstance(name, str)}
    codes = {(name, currency) for name, currency in names if isinstance(name, str)}
    cursor.execute(LOCK, [min(entry.effective_at for entry in entries), array(ids)])
    accounts: dict[int | tuple[str, str], AccountState] = {row[0]: AccountState(*row) for row in cursor.fetchall()}
    if codes or len(accounts) < len(ids):
        accounts |= _named_accounts(cursor, ids - accounts.keys(), codes)
    return accounts


def _named_accounts(
    cursor: Any, ids: Iterable[int], codes: set[tuple[str, str]]
) -> dict[int | tuple[str, str], AccountState]:
    """Read the system accounts, as `_system_accounts` does, and open those of `codes` that are missing."""
    accounts = _system_accounts(cursor, ids, codes)
    if missing := sorted(codes - accounts.keys()):
        _open_system_accounts(cursor, missing)
        accounts |= _system_accounts(cursor, ids, codes)
    return accounts


def _system_accounts(
    cursor: Any, ids: Iterable[int], codes: Iterable[tuple[str, str]]
) -> dict[int | tuple[str, str], AccountState]:
    """Read the system accounts with these ids or (code, currency) pairs, and return each under both."""
    pairs = list(codes)
    cursor.execute(SYSTEM, [array(ids), [code for code, _ in pairs], [currency for _, currency in pairs]])
    accounts: dict[int | tuple[str, str], AccountState] = {}
    for id_, kind, currency, code in cursor.fetchall():
        accounts[id_] = accounts[code, currency] = AccountState(id_, kind, currency)
    return accounts


def _open_system_accounts(cursor: Any, missing: Sequence[tuple[str, str]]) -> None:
    """Create system accounts on first use; raise UnknownAccount for a code that does not begin with a known kind."""
    for code, _ in missing:
        if code.partition(":")[0] not in SYSTEM_KINDS:
            raise UnknownAccount(f"{code!r} is not a system account: codes begin with one of {sorted(SYSTEM_KINDS)}")
    cursor.execute(OPEN, [[code for code, _ in missing], [currency for _, currency in missing]])


def _insert(rows: Sequence[Row]) -> dict[int, int]:
    """Insert the rows and return their ids by the entries' places."""
    if not rows:
        return {}
    ids = run_on(INSERT, COLUMNS, [row[1:] for row in rows])
    return {row.place: id_ for row, (id_,) in zip(rows, ids, strict=True)}


def _result(place: int, decision: Row | Stored | None, ids: dict[int, int]) -> Posted:
    match decision:
        case None:
            return Posted(Outcome.INSUFFICIENT, None, None)
        case Stored():
            return Posted(Outcome.EXISTS, decision.id, decision.balance_after)
        case Row():
            outcome = Outcome.POSTED if decision.place == place else Outcome.EXISTS
            return Posted(outcome, ids[decision.place], decision.balance_after)
