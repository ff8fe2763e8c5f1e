"""Integrity checks of adjustments by hand."""

from core.integrity import Check

TRIGGERS = (
    "adjustment_above_the_limit_begins_waiting",
    "adjustment_is_decided_once",
    "adjustment_keeps_what_was_asked_for",
    "adjustment_is_never_deleted",
)

# The key of the transaction of each adjustment that is done.
DONE = """
    SELECT *, 'adjustment:' || public_id || CASE kind WHEN 'write_off' THEN ':debt' ELSE '' END AS key
      FROM payments_adjustment WHERE status = 'done'
"""

CHECKS = (
    Check(
        "adjustments_move_money_once",
        "Each adjustment that is done moved its amount once, between its customer's balance or debt and the account "
        "adjustments, with its author. Without one that is done nothing was moved.",
        f"""
        SELECT done.id AS adjustment, done.public_id, done.kind, done.amount, moved.id AS transaction,
               moved.amount AS moved
          FROM ({DONE}) AS done
          LEFT JOIN ledger_transaction AS moved ON moved.key = done.key
          LEFT JOIN ledger_account AS debit ON debit.id = moved.debit_id
          LEFT JOIN ledger_account AS credit ON credit.id = moved.credit_id
         WHERE (done.amount, done.currency, done.customer_id, done.asked_by_id)
               IS DISTINCT FROM (moved.amount, moved.currency, moved.customer_id, moved.author_id)
            OR (debit.kind, credit.kind, moved.reason) IS DISTINCT FROM
               (CASE done.kind WHEN 'debit' THEN 'wallet' ELSE 'adjustments' END,
                CASE done.kind WHEN 'credit' THEN 'wallet' WHEN 'debit' THEN 'adjustments' ELSE 'debt' END,
                CASE done.kind WHEN 'write_off' THEN 'write_off' ELSE 'adjustment' END)
         UNION ALL
        SELECT NULL, moved.key, NULL, NULL, moved.id, moved.amount
          FROM ledger_transaction AS moved
          LEFT JOIN ({DONE}) AS done ON done.key = moved.key
         WHERE moved.key LIKE 'adjustment:adj\\_%' AND done.id IS NULL
        """,  # noqa: S608
    ),
)
