"""Integrity checks of payments: each query returns the rows that break a rule."""

from core.integrity import Check, guards
from payments.models import Payment, WebhookEvent

TRIGGERS = (
    "payment_begins_pending",
    "payment_moves_along_the_table",
    "payment_keeps_what_was_asked_for",
    "payment_is_never_deleted",
)

CHECKS = (
    Check(
        "confirmed_payments_are_credited_once",
        "Each confirmed payment was credited once, as received, to its customer, from its gateway's clearing account.",
        """
        SELECT payment.id AS payment, payment.public_id, payment.amount, credit.id AS transaction,
               credit.amount AS credited
          FROM payments_payment AS payment
          LEFT JOIN ledger_transaction AS credit ON credit.key = 'payment:' || payment.public_id
          LEFT JOIN ledger_account AS wallet ON wallet.id = credit.credit_id AND wallet.kind = 'wallet'
          LEFT JOIN ledger_account AS clearing ON clearing.id = credit.debit_id
         WHERE payment.status = 'confirmed'
           AND (payment.amount_received, payment.received_currency, payment.customer_id,
                'gateway_clearing:' || payment.gateway)
               IS DISTINCT FROM (credit.amount, credit.currency, wallet.owner_id, clearing.code)
        """,
    ),
    Check(
        "no_other_payment_is_credited",
        "No money was credited for a payment that is not confirmed or does not exist.",
        """
        SELECT credit.id AS transaction, credit.key, payment.status
          FROM ledger_transaction AS credit
          LEFT JOIN payments_payment AS payment ON credit.key = 'payment:' || payment.public_id
         WHERE credit.key LIKE 'payment:%' AND credit.reason = 'top_up' AND credit.key NOT LIKE 'payment:%:%'
           AND payment.status IS DISTINCT FROM 'confirmed'
        """,
    ),
    Check(
        "refunds_never_exceed_payments",
        "No payment was refunded beyond its amount, and no customer got more back from a gateway than they paid.",
        """
        SELECT id AS payment, customer_id AS customer, gateway, amount AS paid, amount_refunded AS refunded
          FROM payments_payment
         WHERE amount_refunded > amount OR amount_refunded < 0
            OR (amount_refunded > 0 AND status <> 'confirmed')
         UNION ALL
        SELECT NULL, row.customer_id, clearing.code,
               coalesce(sum(row.amount) FILTER (WHERE row.debit_id = clearing.id), 0),
               coalesce(sum(row.amount) FILTER (WHERE row.credit_id = clearing.id), 0)
          FROM ledger_account AS clearing
          JOIN ledger_transaction AS row ON clearing.id IN (row.debit_id, row.credit_id)
         WHERE clearing.kind = 'gateway_clearing' AND row.reason IN ('top_up', 'refund') AND row.wallet_id IS NOT NULL
         GROUP BY row.customer_id, clearing.id, clearing.code
        HAVING coalesce(sum(row.amount) FILTER (WHERE row.credit_id = clearing.id), 0)
               > coalesce(sum(row.amount) FILTER (WHERE row.debit_id = clearing.id), 0)
        """,
    ),
    Check(
        "confirmed_is_told_once_and_final",
        "Each confirmed payment has one payment.confirmed event, and no later event reports another state.",
        """
        SELECT payment.id AS payment, payment.status, count(event.id) AS events
          FROM payments_payment AS payment
          LEFT JOIN events_event AS event ON event.subject = payment.public_id AND event.type = 'payment.confirmed'
         GROUP BY payment.id
        HAVING count(event.id) <> CASE WHEN payment.status = 'confirmed' THEN 1 ELSE 0 END
         UNION ALL
        SELECT payment.id, later.data ->> 'status', NULL
          FROM events_event AS event
          JOIN events_event AS later ON later.subject = event.subject AND later.id > event.id
          JOIN payments_payment AS payment ON payment.public_id = event.subject
         WHERE event.type = 'payment.confirmed' AND later.type LIKE 'payment.%'
           AND later.data ->> 'status' <> 'confirmed'
        """,
    ),
    guards("payment_guards_are_there", (Payment, WebhookEvent), TRIGGERS),
)
