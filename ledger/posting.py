"""`post`: the only code that writes transactions. Plain SQL, a constant number of statements whatever the length.

A single entry is first tried in one statement (ledger.single). Otherwise: lock the wallets, read the keys in a later
statement (which sees what a racing twin committed meanwhile), decide in ledger.deciding, write. Balances are moved by
the trigger on transactions, which checks all of it again.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from core.retry import retried
from ledger.batch import LARGEST, SYSTEM_KINDS, Batch, Entry, Outcome, Posted, Row, Side, Stored, UnknownAccount

# Sorted before it is locked, so that two batches never wait for each other in a circle. Accounts never change their
# id, and balances are read as they are once the lock is there. When a wallet moved last matters only if some entry is
# dated before that; reading thousands of instants takes longer than all the rest. The ids come as a subquery, or the
# planner would weigh each of thousands.
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
# One by one through the unique index: asked for thousands at once, the planner would rather read the whole table.
FIND = """
    SELECT found.* FROM unnest(%s::text[]) AS wanted (key) CROSS JOIN LATERAL (
        SELECT key, id, debit_id, credit_id, amount, currency, reason, reverses_id, balance_after
          FROM ledger_transaction WHERE key = wanted.key OFFSET 0) AS found
"""
# In the order of ledger.deciding.Row.
COLUMNS = (
    ("key", "text"), ("debit_id", "bigint"), ("credit_id", "bigint"), ("amount", "bigint"), ("currency", "text"),
    ("reason", "text"), ("effective_at", "timestamptz"), ("description", "text"), ('"group"', "uuid"),
    ("reverses_id", "bigint"), ("author_id", "bigint"), ("wallet_id", "bigint"), ("balance_after", "bigint"),
    ("customer_id", "bigint"),
)  # fmt: skip
# unnest keeps the order, so that ids follow the order in which the entries were decided.
INSERT = """
    INSERT INTO ledger_transaction ({names}) SELECT {values} FROM unnest({arrays}) AS moved ({varying}) RETURNING id
"""


@retried
def post(entries: Sequence[Entry]) -> list[Posted]:
    """Post the entries in order, each once, and return what became of each; one entry is a list of one.

    Inside an open transaction it takes part in that; alone it opens its own and is run again when the database gives
    it up. Raises KeyReused, CurrencyMismatch, UnknownAccount or OutOfOrder before anything is written.
    """
    if not entries:
        return []
    if len(entries) == 1 and (posted := _post_single(entries[0])):
        return [posted]
    whole = nullcontext() if connection.in_atomic_block else transaction.atomic()
    with whole, connection.cursor() as cursor:
        sides = _accounts(cursor, entries)
        cursor.execute(FIND, [_texts(entry.key for entry in entries)])
        stored = {key: Stored(*rest) for key, *rest in cursor.fetchall()}
        batch = Batch(entries, sides, stored)
        batch.decide()
        ids = _insert(cursor, list(batch.rows.values()))
    return [_result(place, verdict, ids) for place, verdict in enumerate(batch.decided)]


def _accounts(cursor: Any, entries: Sequence[Entry]) -> dict[int | tuple[str, str], Side]:
    """Lock the wallets and debts that the entries name, then look up the system accounts, opening what is missing."""
    names = {(name, entry.currency) for entry in entries for name in (entry.debit, entry.credit)}
    ids = {name for name, _ in names if not isinstance(name, str)}
    codes = {(name, currency) for name, currency in names if isinstance(name, str)}
    cursor.execute(LOCK, [min(entry.effective_at for entry in entries), _numbers(ids)])
    sides: dict[int | tuple[str, str], Side] = {row[0]: Side(*row) for row in cursor.fetchall()}
    if codes or len(sides) < len(ids):
        others = ids - sides.keys()
        sides |= _system_accounts(cursor, others, codes)
        if missing := sorted(codes - sides.keys()):
            _open(cursor, missing)
            sides |= _system_accounts(cursor, others, codes)
    return sides


def _system_accounts(
    cursor: Any, ids: Iterable[int], codes: Iterable[tuple[str, str]]
) -> dict[int | tuple[str, str], Side]:
    wanted = list(codes)
    cursor.execute(SYSTEM, [_numbers(ids), [code for code, _ in wanted], [currency for _, currency in wanted]])
    found: dict[int | tuple[str, str], Side] = {}
    for id_, kind, currency, code in cursor.fetchall():
        found[id_] = found[code, currency] = Side(id_, kind, currency)
    return found


def _open(cursor: Any, missing: Sequence[tuple[str, str]]) -> None:
    """Create system accounts on their first use. A code that begins with no known kind is a mistake, not a new one."""
    for code, _ in missing:
        if code.partition(":")[0] not in SYSTEM_KINDS:
            raise UnknownAccount(f"{code!r} is no system account; they begin with one of {sorted(SYSTEM_KINDS)}")
    cursor.execute(OPEN, [[code for code, _ in missing], [currency for _, currency in missing]])


def _insert(cursor: Any, rows: Sequence[Row]) -> dict[int, int]:
    """Insert the rows and return their ids by the entry's place."""
    if not rows:
        return {}
    places, *columns = zip(*rows, strict=True)
    # A column that is the same in every row, as most are in a billing run, travels once.
    values, arrays, varying, once, many = [], [], [], [], []
    for (name, kind), column in zip(COLUMNS, columns, strict=True):
        if name != "key" and column.count(column[0]) == len(rows):
            values.append(f"%s::{kind}")
            once.append(column[0])
        else:
            values.append(name)
            arrays.append(f"%s::{kind}[]")
            varying.append(name)
            many.append(AS_ARRAY[kind](column))
    statement = INSERT.format(
        names=", ".join(name for name, _ in COLUMNS),
        values=", ".join(values),
        arrays=", ".join(arrays),
        varying=", ".join(varying),
    )
    cursor.execute(statement, once + many)
    return dict(zip(places, (id_ for (id_,) in cursor.fetchall()), strict=True))


def _result(place: int, verdict: Row | Stored | None, ids: dict[int, int]) -> Posted:
    match verdict:
        case None:
            return Posted(Outcome.INSUFFICIENT, None, None)
        case Stored():
            return Posted(Outcome.EXISTS, verdict.id, verdict.balance_after)
        case Row():
            outcome = Outcome.POSTED if verdict.place == place else Outcome.EXISTS
            return Posted(outcome, ids[verdict.place], verdict.balance_after)


# Array literals joined here are several times faster than letting the driver adapt each element.


def _numbers(values: Iterable[object]) -> str:
    """Write integers, UUIDs and None as an array literal."""
    return "{" + ",".join(["null" if value is None else str(value) for value in values]) + "}"


def _texts(values: Iterable[str]) -> str:
    """Write strings as an array literal."""
    values = list(values)
    joined = '","'.join(values)
    if "\\" in joined or joined.count('"') != 2 * (len(values) - 1):
        joined = '","'.join([value.replace("\\", "\\\\").replace('"', '\\"') for value in values])
    return '{"' + joined + '"}'


def _instants(values: Iterable[datetime]) -> str:
    """Write aware datetimes as an array literal."""
    return "{" + ",".join([value.isoformat() for value in values]) + "}"


AS_ARRAY: dict[str, Callable[[Iterable[Any]], str]] = {
    "text": _texts,
    "bigint": _numbers,
    "uuid": _numbers,
    "timestamptz": _instants,
}

# What the wallet holds is looked at once it is locked. A racing twin of the same key is waited for, then left standing.
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


def _post_single(entry: Entry) -> Posted | None:
    """Post an entry between a wallet and a system account; None, with nothing done, unless that is all there is to it.

    Outside a transaction the statement is one of its own.
    """
    out = isinstance(entry.debit, int)
    wallet, system = (entry.debit, entry.credit) if out else (entry.credit, entry.debit)
    if not (isinstance(wallet, int) and isinstance(system, str) and _is_sound(entry)):
        return None
    least, most = (entry.amount, LARGEST) if out else (0, LARGEST - entry.amount)
    given = entry._asdict() | {
        "wallet": wallet, "system": system, "out": out, "least": least, "most": most,
        "change": -entry.amount if out else entry.amount,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(POST, given)
        row = cursor.fetchone()
    return Posted(Outcome.POSTED, *row) if row else None


def _is_sound(entry: Entry) -> bool:
    """Whether the amount and the instant are what they must be; ledger.deciding says what is wrong with others."""
    return type(entry.amount) is int and 0 < entry.amount <= LARGEST and entry.effective_at.tzinfo is not None
