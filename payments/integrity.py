"""Integrity checks of payments: each query returns the rows that break a rule."""

from core.integrity import Check, guards
from payments import integrity_adjustments, integrity_collections, integrity_gateways
from payments.models import (
    Adjustment,
    AutoTopUp,
    Collection,
    CollectionDecision,
    CollectionPlan,
    Consent,
    Discrepancy,
    Dispute,
    Payment,
    PaymentMethod,
    Payout,
    Refund,
    WebhookEvent,
)

TRIGGERS = (
    "payment_begins_pending",
    "payment_moves_along_the_table",
    "payment_keeps_what_was_asked_for",
    "payment_is_never_deleted",
    "payment_counts_only_its_refunds",
    "payment_keeps_what_it_received",
    "payment_keeps_who_paid",
    "refund_begins_pending",
    "refund_moves_along_the_table",
    "refund_keeps_what_was_asked_for",
    "refund_is_never_deleted",
    "refund_counts_against_its_payment",
    "dispute_begins_open",
    "dispute_moves_along_the_table",
    "dispute_keeps_what_it_is_about",
    "dispute_is_never_deleted",
    "method_is_removed_once",
    *integrity_gateways.TRIGGERS,
    *integrity_collections.TRIGGERS,
    *integrity_adjustments.TRIGGERS,
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
        "money_sent_back_is_gone_or_waits",
        "No payment counts as sent back whose money did not arrive: it waits for staff again.",
        """
        SELECT id AS payment, public_id, amount_received AS received, amount_refunded AS refunded
          FROM payments_payment
         WHERE status = 'cancelled' AND failure_code = 'sent_back' AND amount_refunded < amount_received
        """,
    ),
    Check(
        "refunds_never_exceed_payments",
        "No payment was refunded beyond its amount, and no customer got more back from a gateway than they paid.",
        """
        SELECT payment.id AS payment, payment.customer_id AS customer, payment.gateway,
               payment.amount_received AS paid, payment.amount_refunded AS refunded
          FROM payments_payment AS payment
          LEFT JOIN (SELECT payment_id, sum(amount) AS amount FROM payments_refund
                      WHERE status <> 'failed' GROUP BY payment_id) AS refunds ON refunds.payment_id = payment.id
         WHERE payment.amount_refunded > coalesce(payment.amount_received, 0)
            OR payment.amount_refunded <> coalesce(refunds.amount, 0)
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
        "refunds_move_the_wallet_once",
        "Each refund was paid by its customer's wallet, or to it, and came back if it failed. One that was made at the "
        "gateway may have left a debt.",
        r"""
        SELECT refund.id AS refund, refund.status, refund.amount, paid.amount AS paid, returned.amount AS returned
          FROM payments_refund AS refund
          JOIN payments_payment AS payment ON payment.id = refund.payment_id
          LEFT JOIN LATERAL (
                SELECT sum(moved.amount)::bigint AS amount, min(moved.currency) AS currency,
                       min(moved.customer_id) AS customer_id, min(other.code) AS code, min(other.id) AS other_id
                  FROM ledger_transaction AS moved
                  JOIN ledger_account AS other
                    ON other.id = CASE refund.destination WHEN 'card' THEN moved.credit_id ELSE moved.debit_id END
                 WHERE moved.key = 'refund:' || refund.public_id
                    OR (moved.key = 'refund:' || refund.public_id || ':debt' AND refund.is_made_at_gateway)
          ) AS paid ON true
          LEFT JOIN ledger_transaction AS returned ON returned.key = 'refund:' || refund.public_id || ':returned'
         WHERE (CASE WHEN refund.is_from_wallet THEN
                    (refund.amount, refund.currency, payment.customer_id,
                     CASE refund.destination WHEN 'card' THEN 'gateway_clearing:' || refund.gateway
                                             ELSE 'adjustments' END)
                        IS DISTINCT FROM (paid.amount, paid.currency, paid.customer_id, paid.code)
                ELSE paid.amount IS NOT NULL END)
            OR (CASE WHEN refund.is_from_wallet AND refund.status = 'failed' THEN
                    (refund.amount, refund.currency, payment.customer_id, paid.other_id)
                        IS DISTINCT FROM (returned.amount, returned.currency, returned.customer_id, returned.debit_id)
                ELSE returned.id IS NOT NULL END)
         UNION ALL
        SELECT NULL, NULL, NULL, moved.amount, NULL
          FROM ledger_transaction AS moved
          LEFT JOIN payments_refund AS refund ON refund.public_id = split_part(moved.key, ':', 2)
         WHERE moved.key LIKE 'refund:ref\_%' AND refund.id IS NULL
        """,
    ),
    Check(
        "disputes_are_booked_once",
        "Each dispute took its amount from wallet and debt once, and gave it back once if it was won. A lost one of a "
        "parked payment waits until that is decided.",
        """
        WITH booked AS (
            SELECT dispute.*, CASE WHEN withdrawn_at IS NULL THEN 0 ELSE dispute.amount END AS due_out,
                   CASE WHEN returned_at IS NULL THEN 0 ELSE dispute.amount END AS due_back,
                   coalesce(moved.taken, 0) AS taken, coalesce(moved.sent, 0) AS sent,
                   coalesce(moved.came, 0) AS came, coalesce(moved.given, 0) AS given
              FROM payments_dispute AS dispute
             CROSS JOIN LATERAL (SELECT 'dispute:' || dispute.public_id AS key) AS cause
             CROSS JOIN LATERAL (
                SELECT sum(amount) FILTER (WHERE row.key IN (cause.key, cause.key || ':debt')) AS taken,
                       sum(amount) FILTER (WHERE row.key = cause.key || ':out') AS sent,
                       sum(amount) FILTER (WHERE row.key = cause.key || ':back') AS came,
                       sum(amount) FILTER (WHERE row.key = cause.key || ':won') AS given
                  FROM ledger_transaction AS row
                 WHERE row.key IN (cause.key, cause.key || ':debt', cause.key || ':out', cause.key || ':back',
                                   cause.key || ':won')) AS moved)
        SELECT id AS dispute, status, amount, taken, sent, came, given
          FROM booked
         WHERE (taken, sent, came, given) IS DISTINCT FROM (due_out, due_out, due_back, due_back)
            OR (status = 'lost' AND withdrawn_at IS NULL AND check_at IS NULL)
            OR (status = 'won' AND withdrawn_at IS NOT NULL AND returned_at IS NULL)
        """,
    ),
    Check(
        "nothing_is_refunded_that_a_bank_took_back",
        "We made no refund after its payment's dispute had taken the money, unless that had been given back.",
        """
        SELECT refund.id AS refund, dispute.id AS dispute
          FROM payments_refund AS refund
          JOIN payments_dispute AS dispute ON dispute.payment_id = refund.payment_id
          JOIN ledger_transaction AS paid ON paid.key = 'refund:' || refund.public_id
          JOIN ledger_transaction AS taken ON taken.key = 'dispute:' || dispute.public_id || ':out'
          LEFT JOIN ledger_transaction AS back ON back.key = 'dispute:' || dispute.public_id || ':back'
         WHERE paid.id > taken.id AND (back.id IS NULL OR paid.id < back.id) AND NOT refund.is_made_at_gateway
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
    Check(
        "a_change_is_decided_with_its_payment",
        "The change that a payment is for was made or refused when it was confirmed, and not before.",
        """
        SELECT payment.id AS payment, payment.status, change.made_at, change.refusal
          FROM payments_paidchange AS change JOIN payments_payment AS payment ON payment.id = change.payment_id
         WHERE (payment.status = 'confirmed') IS DISTINCT FROM (change.made_at IS NOT NULL OR change.refusal <> '')
        """,
    ),
    *integrity_gateways.CHECKS,
    *integrity_collections.CHECKS,
    *integrity_adjustments.CHECKS,
    guards(
        "payment_guards_are_there",
        (
            Payment,
            Refund,
            Dispute,
            PaymentMethod,
            Payout,
            Discrepancy,
            WebhookEvent,
            Consent,
            Collection,
            CollectionPlan,
            CollectionDecision,
            AutoTopUp,
            Adjustment,
        ),
        TRIGGERS,
    ),
)
