"""One entry in one statement: a round trip where a batch takes four, and BEGIN and COMMIT on top when it stands alone.

It inserts what ledger.deciding would and nothing else. Whatever is not plainly to be posted (posted before, not
covered, misspelt, first use of an account, two accounts of a customer) inserts nothing here and is decided there.
"""

from django.db import connection

from ledger.deciding import LARGEST, Entry, Outcome, Posted

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


def post(entry: Entry) -> Posted | None:
    """Post an entry between a wallet and a system account; None, with nothing done, unless that is all there is to it.

    Outside a transaction the statement is one of its own.
    """
    out = isinstance(entry.debit, int)
    wallet, system = (entry.debit, entry.credit) if out else (entry.credit, entry.debit)
    if not (isinstance(wallet, int) and isinstance(system, str) and is_sound(entry)):
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


def is_sound(entry: Entry) -> bool:
    """Whether the amount and the instant are what they must be; ledger.deciding says what is wrong with others."""
    return type(entry.amount) is int and 0 < entry.amount <= LARGEST and entry.effective_at.tzinfo is not None
