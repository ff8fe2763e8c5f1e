"""Integrity checks of accounts and transactions.

They do not rely on what the triggers maintain: every balance is summed again from the transactions.
"""

from core.integrity import Check, guards
from ledger.models import Account, Rollup, Transaction

TRIGGERS = (
    "transactions_move_balances",
    "transaction_is_never_edited",
    "transaction_is_never_deleted",
    "transactions_are_never_truncated",
    "account_starts_empty",
    "balance_moves_by_transactions_only",
    "account_stays_what_it_is",
    "account_is_never_deleted",
    "accounts_are_never_truncated",
    "rollup_by_hand_is_zero",
    "rollup_of_zero_folds",
    "rollup_is_never_edited",
    "rollup_is_deleted_by_folding_only",
    "rollups_are_never_truncated",
)

# The sum of each account's transactions. Debits and credits are summed separately, so that PostgreSQL can run each of
# the two scans in parallel.
SUMS = """
    SELECT account_id, sum(moved) AS moved
      FROM (SELECT debit_id AS account_id, -sum(amount) AS moved FROM ledger_transaction GROUP BY debit_id
             UNION ALL
            SELECT credit_id, sum(amount) FROM ledger_transaction GROUP BY credit_id) AS side
     GROUP BY account_id
"""

# The transactions of each wallet with the balance and the instant before each. The first one starts from zero.
LINES = """
    SELECT id, wallet_id, balance_after, effective_at,
           CASE WHEN debit_id = wallet_id THEN -amount ELSE amount END AS delta,
           lag(balance_after, 1, 0::bigint) OVER line AS before, lag(effective_at) OVER line AS previous_at
      FROM ledger_transaction WHERE wallet_id IS NOT NULL
    WINDOW line AS (PARTITION BY wallet_id ORDER BY id)
"""

CHECKS = (
    Check(
        "books_balance",
        "All accounts of a currency add up to zero: no money appeared or disappeared.",
        """
        SELECT currency, sum(held) AS difference
          FROM (SELECT currency, balance AS held FROM ledger_account WHERE balance IS NOT NULL
                 UNION ALL
                SELECT currency, delta FROM ledger_rollup AS rollup
                  JOIN ledger_account AS account ON account.id = rollup.account_id) AS part
         GROUP BY currency HAVING sum(held) <> 0
        """,
    ),
    Check(
        "balances_equal_transactions",
        "The balance of every wallet and debt is the sum of its transactions.",
        f"""
        SELECT account.id AS account, kind, balance, coalesce(moved, 0) AS by_transactions
          FROM ledger_account AS account LEFT JOIN ({SUMS}) AS sums ON sums.account_id = account.id
         WHERE account.owner_id IS NOT NULL AND balance <> coalesce(moved, 0)
        """,  # noqa: S608
    ),
    Check(
        "rollups_equal_transactions",
        "The rollups of every system account add up to the sum of its transactions.",
        f"""
        SELECT account.id AS account, code, coalesce(held, 0) AS by_rollups, coalesce(moved, 0) AS by_transactions
          FROM ledger_account AS account
          LEFT JOIN ({SUMS}) AS sums ON sums.account_id = account.id
          LEFT JOIN (SELECT account_id, sum(delta) AS held FROM ledger_rollup GROUP BY account_id) AS rollup
            ON rollup.account_id = account.id
         WHERE account.owner_id IS NULL AND coalesce(held, 0) <> coalesce(moved, 0)
        """,  # noqa: S608
    ),
    Check(
        "rollups_are_of_system_accounts",
        "Only system accounts have rollups.",
        """
        SELECT rollup.id AS rollup, rollup.account_id AS account FROM ledger_rollup AS rollup
          LEFT JOIN ledger_account AS account ON account.id = rollup.account_id
         WHERE account.id IS NULL OR account.owner_id IS NOT NULL
        """,
    ),
    Check(
        "history_is_unbroken",
        "Each balance in a wallet's history is the previous balance plus the amount.",
        f"""
        SELECT wallet_id AS wallet, id AS transaction, before, delta, balance_after FROM ({LINES}) AS lines
         WHERE balance_after IS DISTINCT FROM before + delta
        """,  # noqa: S608
    ),
    Check(
        "wallets_were_never_negative",
        "No wallet is or ever was below zero, and no debt is above zero.",
        """
        SELECT wallet_id AS account, id AS transaction, balance_after AS held FROM ledger_transaction
         WHERE balance_after < 0
         UNION ALL
        SELECT id, NULL, balance FROM ledger_account
         WHERE (kind = 'wallet' AND balance < 0) OR (kind = 'debt' AND balance > 0)
        """,
    ),
    Check(
        "time_never_goes_back",
        "No transaction of a wallet is dated before the previous one, and `moved_at` is the date of the last.",
        f"""
        SELECT wallet_id AS wallet, id AS transaction, previous_at, effective_at FROM ({LINES}) AS lines
         WHERE effective_at < previous_at
         UNION ALL
        SELECT account.id, NULL, account.moved_at, last_at
          FROM ledger_account AS account
          LEFT JOIN (SELECT wallet_id, max(effective_at) AS last_at FROM ledger_transaction
                      WHERE wallet_id IS NOT NULL GROUP BY wallet_id) AS last ON last.wallet_id = account.id
         WHERE account.kind = 'wallet' AND account.moved_at IS DISTINCT FROM last_at
        """,  # noqa: S608
    ),
    Check(
        "transactions_name_the_right_accounts",
        "Both accounts of a transaction exist and have its currency, and its wallet and customer are theirs.",
        """
        SELECT row.id AS transaction, row.key, row.currency, debit.currency AS debit_currency,
               credit.currency AS credit_currency, row.wallet_id AS wallet, row.customer_id AS customer
          FROM ledger_transaction AS row
          LEFT JOIN ledger_account AS debit ON debit.id = row.debit_id
          LEFT JOIN ledger_account AS credit ON credit.id = row.credit_id
         WHERE debit.currency IS DISTINCT FROM row.currency
            OR credit.currency IS DISTINCT FROM row.currency
            OR (debit.kind = 'wallet' AND credit.kind = 'wallet')
            OR row.wallet_id IS DISTINCT FROM
               CASE WHEN debit.kind = 'wallet' THEN debit.id WHEN credit.kind = 'wallet' THEN credit.id END
            OR coalesce(debit.owner_id, credit.owner_id) <> row.customer_id
            OR debit.owner_id <> credit.owner_id
            OR (row.customer_id IS NULL AND coalesce(debit.owner_id, credit.owner_id) IS NOT NULL)
        """,
    ),
    Check(
        "reversals_are_exact_opposites",
        "Each reversal moves the same amount the other way, and each transaction is reversed at most once.",
        """
        SELECT back.id AS transaction, back.reverses_id AS reverses FROM ledger_transaction AS back
          LEFT JOIN ledger_transaction AS original ON original.id = back.reverses_id
         WHERE back.reverses_id IS NOT NULL
           AND (original.debit_id, original.credit_id, original.amount)
               IS DISTINCT FROM (back.credit_id, back.debit_id, back.amount)
         UNION ALL
        SELECT max(id), reverses_id FROM ledger_transaction WHERE reverses_id IS NOT NULL
         GROUP BY reverses_id HAVING count(*) > 1
        """,
    ),
    guards("ledger_guards_are_there", (Account, Transaction, Rollup), TRIGGERS),
)
