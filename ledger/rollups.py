"""Fold the rollups of system accounts, so that their balances are quick to read. Safe at any time."""

from django.db import connection

# When a zero row is inserted, the trigger rollup_of_zero_folds sums that account's rows into one. It does so in one
# statement: every reader sees either the old rows or the sum, never both. It skips rows that another fold has locked.
FOLD = "INSERT INTO ledger_rollup (account_id, delta) VALUES (%s, 0)"
FOLD_ALL = """
    INSERT INTO ledger_rollup (account_id, delta)
    SELECT account_id, 0 FROM ledger_rollup GROUP BY account_id HAVING count(*) > %s
"""
# Summing a hundred rows takes less time than the query itself.
FEW = 100


def fold(account_id: int) -> None:
    """Fold the system account's current rollups into one."""
    with connection.cursor() as cursor:
        cursor.execute(FOLD, [account_id])


def fold_all(*, few: int = FEW) -> int:
    """Fold every system account that has more than `few` rollups, and return how many were folded."""
    with connection.cursor() as cursor:
        cursor.execute(FOLD_ALL, [few])
        return int(cursor.rowcount)
