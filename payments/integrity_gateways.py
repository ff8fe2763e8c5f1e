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
        "dispute_fees_are_posted",
        "The fee of each dispute, less what came back of it, is what was posted to its gateway's clearing account.",
        r"""
        WITH posted AS (
            SELECT split_part(row.key, ':', 2) AS public_id, count(*) AS times,
                   sum(CASE WHEN debit.code = 'gateway_fees' THEN row.amount ELSE -row.amount END)::bigint AS amount,
                   string_agg(DISTINCT concat_ws(' ', row.currency, least(debit.code, credit.code),
                                                 greatest(debit.code, credit.code)), ', ') AS accounts
              FROM ledger_transaction AS row
              JOIN ledger_account AS debit ON debit.id = row.debit_id
              JOIN ledger_account AS credit ON credit.id = row.credit_id
             WHERE row.key LIKE 'fee:dsp\_%' GROUP BY 1)
        SELECT dispute.id AS dispute, dispute.fee, posted.public_id AS posted_for, posted.amount AS posted
          FROM payments_dispute AS dispute
          FULL JOIN posted ON posted.public_id = dispute.public_id
         WHERE (dispute.fee, dispute.fee_changes)
               IS DISTINCT FROM (coalesce(posted.amount, 0), coalesce(posted.times, 0))
            OR posted.accounts <> concat_ws(' ', dispute.fee_currency, 'gateway_clearing:' || dispute.gateway,
                                            'gateway_fees')
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
