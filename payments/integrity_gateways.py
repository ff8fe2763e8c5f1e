"""Integrity checks of what gateways keep and pay out: each query returns the rows that break a rule."""

from core.integrity import Check

TRIGGERS = ("payout_keeps_what_it_is_about", "payout_is_never_deleted")

CHECKS = (
    Check(
        "fees_are_posted_once",
        "The fee of each payment was posted once, from its gateway's clearing account, and no other fee was.",
        r"""
        SELECT payment.id AS payment, payment.fee, posted.id AS transaction, posted.amount AS posted
          FROM payments_payment AS payment
          LEFT JOIN ledger_transaction AS posted ON posted.key = 'fee:' || payment.public_id
          LEFT JOIN ledger_account AS clearing ON clearing.id = posted.credit_id
          LEFT JOIN ledger_account AS fees ON fees.id = posted.debit_id
         WHERE (payment.fee IS NOT NULL OR posted.id IS NOT NULL)
           AND (payment.fee, payment.fee_currency, 'gateway_clearing:' || payment.gateway, 'gateway_fees')
               IS DISTINCT FROM (posted.amount, posted.currency, clearing.code, fees.code)
         UNION ALL
        SELECT NULL, NULL, posted.id, posted.amount
          FROM ledger_transaction AS posted
          LEFT JOIN payments_payment AS payment ON 'fee:' || payment.public_id = posted.key
         WHERE posted.key LIKE 'fee:pay\_%' AND payment.id IS NULL
        """,
    ),
    Check(
        "payouts_are_posted_once",
        "Each payout moved its amount from the gateway to the bank once, and back once if the bank returned it.",
        """
        SELECT payout.id AS payout, payout.amount, posted.id AS transaction, posted.amount AS posted,
               back.id AS returned
          FROM payments_payout AS payout
          LEFT JOIN ledger_transaction AS posted ON posted.key = 'payout:' || payout.public_id
          LEFT JOIN ledger_account AS debit ON debit.id = posted.debit_id
          LEFT JOIN ledger_account AS credit ON credit.id = posted.credit_id
          LEFT JOIN ledger_transaction AS back ON back.reverses_id = posted.id
         WHERE (payout.amount, payout.currency, 'bank', 'gateway_clearing:' || payout.gateway)
               IS DISTINCT FROM
               (CASE WHEN debit.kind = 'bank' THEN posted.amount ELSE -posted.amount END, posted.currency,
                CASE WHEN debit.kind = 'bank' THEN debit.code ELSE credit.code END,
                CASE WHEN debit.kind = 'bank' THEN credit.code ELSE debit.code END)
            OR (payout.returned_at IS NULL) <> (back.id IS NULL)
         UNION ALL
        SELECT NULL, NULL, posted.id, posted.amount, NULL
          FROM ledger_transaction AS posted
          LEFT JOIN payments_payout AS payout ON 'payout:' || payout.public_id = posted.key
         WHERE posted.reason = 'payout' AND posted.reverses_id IS NULL AND payout.id IS NULL
        """,
    ),
)
