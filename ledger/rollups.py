"""Keeps the balances of system accounts quick to read: many rollups of an account become one, at any time, safely."""

from django.db import connection

# The database answers a zero row by adding that account's rows up into one (trigger rollup_of_zero_folds). In one
# statement, so that every reader sees the rows as they were or the sum, never both; rows that another fold holds are
# left to it.
FOLD = "INSERT INTO ledger_rollup (account_id, delta) VALUES (%s, 0)"
FOLD_ALL = """
    INSERT INTO ledger_rollup (account_id, delta)
    SELECT account_id, 0 FROM ledger_rollup GROUP BY account_id HAVING count(*) > %s
"""
# Adding up a hundred rows takes less time than the question.
FEW = 100


def fold(account_id: int) -> None:
    """Make one rollup of all that the system account has now."""
    with connection.cursor() as cursor:
        cursor.execute(FOLD, [account_id])


def fold_all(*, few: int = FEW) -> int:
    """Fold every system account that has more than `few` rollups; return how many were."""
    with connection.cursor() as cursor:
        cursor.execute(FOLD_ALL, [few])
        return int(cursor.rowcount)
