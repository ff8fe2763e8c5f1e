"""Money: charges and refunds of unused time beside the transactions that moved them."""

from accounts.integrity import Check

CHECKS = (
    Check(
        "charges_equal_their_transactions",
        "Each charge took its amount from the subscription's own wallet, once, and no other charge was taken.",
        """
        SELECT charge.id AS charge, charge.amount, transaction.id AS transaction, transaction.amount AS taken
          FROM subscriptions_charge AS charge
          JOIN subscriptions_subscription AS row ON row.id = charge.subscription_id
          FULL JOIN (SELECT id, amount, wallet_id, debit_id FROM ledger_transaction
                      WHERE reason = 'charge') AS transaction
            ON transaction.id = charge.transaction_id
         WHERE (transaction.id IS NOT NULL AND charge.id IS NULL)
            OR (charge.amount > 0 AND (charge.amount, row.wallet_id, row.wallet_id)
                IS DISTINCT FROM (transaction.amount, transaction.wallet_id, transaction.debit_id))
        """,
    ),
    Check(
        "unused_time_is_given_back_once",
        "Each refund of unused time belongs to one charge and its wallet, and no subscription got back more than it "
        "paid.",
        """
        SELECT charge.id AS charge, transaction.id AS transaction, transaction.amount
          FROM subscriptions_charge AS charge
          JOIN subscriptions_subscription AS row ON row.id = charge.subscription_id
          FULL JOIN (SELECT id, amount, wallet_id, credit_id FROM ledger_transaction
                      WHERE reason = 'unused_refund') AS transaction
            ON transaction.id = charge.refund_id
         WHERE (transaction.id IS NOT NULL AND charge.id IS NULL)
            OR (charge.refund_id IS NOT NULL
                AND (row.wallet_id, row.wallet_id) IS DISTINCT FROM (transaction.wallet_id, transaction.credit_id))
         UNION ALL
        SELECT max(back.charge), max(back.id), back.amount
          FROM (SELECT charge.subscription_id, max(charge.id) AS charge, max(row.id) AS id, sum(row.amount) AS amount
                  FROM subscriptions_charge AS charge JOIN ledger_transaction AS row ON row.id = charge.refund_id
                 GROUP BY charge.subscription_id) AS back
          JOIN subscriptions_charge AS charge ON charge.subscription_id = back.subscription_id
         GROUP BY back.subscription_id, back.amount HAVING back.amount > sum(charge.amount)
        """,
    ),
)
